"""Random scenarios between two real sandboxes, and what must hold after every one of them."""
