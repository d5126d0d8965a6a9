"""From the bag to the door: checkout, payment, shipping, refunds."""
