"""The types of the graph: objects made from their identifier alone, each dataset one visible field."""
