"""Objects of numpy and of the astropy family, taken into a session and given back."""
