"""The local library: what is on this machine, found again by place, time, instrument and word."""
