"""What goes over the line to and from a shop that is described."""
