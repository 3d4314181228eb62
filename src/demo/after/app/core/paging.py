"""How lists are cut into pages."""

PAGE_SIZE = 50
