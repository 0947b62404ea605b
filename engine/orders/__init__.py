"""What paper and live share about orders: how they are built, sized, matched, grouped and ended."""
