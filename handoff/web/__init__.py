"""The shared kit of the pages: the door of every view, components, paging, headers."""
