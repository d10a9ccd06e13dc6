"""What tests act with: authenticators, real servers, real browsers, relying parties."""
