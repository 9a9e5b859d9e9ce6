"""Tables in the window: a quick model over astropy tables, and a view of it."""
