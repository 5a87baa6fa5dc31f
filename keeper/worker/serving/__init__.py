"""A lease served: from its match to the end of everything that its renter left on the device."""
