"""Every word on the wire: one file per topic. An undeclared field is a bug on both sides."""
