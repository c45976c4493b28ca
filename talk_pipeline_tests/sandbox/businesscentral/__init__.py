"""What the Business Central server does, one file a subject."""
