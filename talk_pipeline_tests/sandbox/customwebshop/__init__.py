"""What the shop server does, one file a subject."""
