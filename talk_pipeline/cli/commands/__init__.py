"""The commands and their options, by what they are about; what they do is in the modules of `cli`."""
