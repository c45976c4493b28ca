"""The documents that are made from the code: written by `make docs`, and held against it by a test."""
