"""The viewers: widgets that each draw one view state of the session."""
