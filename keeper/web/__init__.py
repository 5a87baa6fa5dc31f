"""What pages are made of: figures as SVG, and the templates that hold them."""
