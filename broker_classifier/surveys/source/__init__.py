"""What a packet says of its source beside the light curve, and the rules that read it."""
