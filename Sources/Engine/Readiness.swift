/// What epoll says of a descriptor.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// EPOLLIN
    public static let readable = Readiness(rawValue: 0x001)
    /// EPOLLOUT
    public static let writable = Readiness(rawValue: 0x004)
    /// EPOLLERR or EPOLLHUP: both directions are over.
    public static let failed = Readiness(rawValue: 0x018)
    /// EPOLLRDHUP: the peer will send no more.
    public static let peerClosed = Readiness(rawValue: 0x2000)
}
