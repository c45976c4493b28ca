"""What only a browser can tell: the document, the sandbox's pages and Dagster's UI, as people see them."""
