package import Federation
package import Model
import Synchronization

/// How an L7 node tells the checks of its own DNS nodes from users' requests: by a header that only holders of the
/// federation key can make, for one address and half a minute. What is marked is served like any request, and neither
/// counted nor logged; the header goes no further.
package final class CheckMark: Sendable {
    package static let header = "Meridian-Check"
    /// Seconds for which a mark is made. It is taken for as long before and after.
    package static let period: Int64 = 30

    private let keyring: Mutex<Keyring?>

    package init(_ keyring: Keyring? = nil) { self.keyring = Mutex(keyring) }

    /// Without a key nothing is marked, and no mark is taken.
    package func replace(_ keyring: Keyring?) { self.keyring.withLock { $0 = keyring } }

    /// The period in which `now` lies.
    package static func period(of now: Timestamp) -> Int64 { now.milliseconds / 1000 / period }

    /// The header's value for a check of `address`; nil without a key.
    package func value(for address: SocketAddress, now: Timestamp) -> String? {
        keyring.withLock { $0 }?.checkCodes(address, period: Self.period(of: now)).first
    }

    /// Every value that is taken at one of `addresses` in `period`: made by any key, in it or beside it.
    package func values(at addresses: [SocketAddress], period: Int64) -> Set<[UInt8]> {
        guard let keyring = keyring.withLock({ $0 }) else { return [] }
        var all: Set<[UInt8]> = []
        for address in addresses {
            for period in (period - 1)...(period + 1) {
                for code in keyring.checkCodes(address, period: period) { all.insert(Array(code.utf8)) }
            }
        }
        return all
    }
}
