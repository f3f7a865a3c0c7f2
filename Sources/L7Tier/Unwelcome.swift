import Engine

/// What a client hears when there are too few descriptors left to serve it.
enum Unwelcome {
    private static let response: StaticString = """
        HTTP/1.1 503 Service Unavailable\r
        Connection: close\r
        Retry-After: 1\r
        Content-Type: text/plain\r
        X-Meridian-Reason: exhausted\r
        Content-Length: 10\r
        \r
        exhausted

        """

    /// Answers whatever is asked, and closes at once: a descriptor that is kept to say no is one that is not there for
    /// others.
    static func refuse(_ descriptor: CInt) {
        let transport = Transport(descriptor: descriptor)
        let bytes = unsafe UnsafeRawBufferPointer(start: response.utf8Start, count: response.utf8CodeUnitCount)
        _ = unsafe transport.write(bytes.bytes)
        transport.shutdownWrite()
        // With unread octets a close would be a reset, which destroys the answer on its way.
        transport.discard()
        Socket.close(descriptor)
    }
}
