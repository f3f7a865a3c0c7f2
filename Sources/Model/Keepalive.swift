/// How a TCP connection on which nothing moves is watched (RFC 9293 section 3.8.4), so that a peer that vanished without a
/// word is noticed.
package struct Keepalive: Sendable, Hashable {
    /// Silence before the first probe, whole seconds, 1 ... 32,767.
    package let idle: Duration
    /// Between probes, whole seconds, 1 ... 32,767.
    package let interval: Duration
    /// Probes without an answer after which the peer is gone, 1 ... 127; 0 turns all of this off.
    package let count: Int

    package init(idle: Duration, interval: Duration, count: Int) {
        self.idle = idle
        self.interval = interval
        self.count = count
    }

    /// Five minutes in all: shorter than the six after which middleboxes forget a silent connection, and longer than a
    /// client stops reading while its user looks at a page.
    package static let standard = Keepalive(idle: .seconds(60), interval: .seconds(30), count: 8)

    /// A peer that has said nothing for so long is gone, whether it had something to acknowledge or not
    /// (TCP_USER_TIMEOUT, RFC 5482).
    package var patience: Duration { idle + interval * count }
}
