"""The room of the engine of the same name, without any system: records are landed as if one had told them."""
