"""Who a browser is and what it may open."""
