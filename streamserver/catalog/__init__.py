"""Shops, products, variants and their pictures; where they come from (pages, API, Shopify's product CSV)."""
