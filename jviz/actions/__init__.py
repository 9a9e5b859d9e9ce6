"""The built-in commands, one module per noun; none of them knows a window."""
