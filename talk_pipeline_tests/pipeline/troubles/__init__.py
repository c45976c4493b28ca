"""What goes wrong while a run is at work, and what the systems answer that nobody hoped for."""
