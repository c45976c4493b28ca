"""Random lives of orders, from being placed to being paid or given back, with faults and killed runs."""
