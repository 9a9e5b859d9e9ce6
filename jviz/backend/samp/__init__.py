"""SAMP, the Simple Application Messaging Protocol: other programs of the desktop, and what is said to and by them."""
