"""What goes over the wire for a description."""
