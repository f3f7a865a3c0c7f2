import Testing

/// Tests with real processes. They share loopback addresses and measure time, so they run one after another.
@Suite(.serialized) struct SystemTests {}
