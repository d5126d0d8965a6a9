"""REST by area, pages, the API's description, and what every request passes on its way."""
