import Model
import Synchronization

/// The passwords of a node's checks. One in a file is read at each login, so that a new one counts without a reload; what was
/// read at boot or reload stands in when the file is just being replaced.
final class Passwords: Sendable {
    private let known: Mutex<[Secret: String]>

    init(_ known: [Secret: String]) { self.known = Mutex(known) }

    func replace(_ fresh: [Secret: String]) { known.withLock { $0 = fresh } }

    /// Nil for one that this node has no use for.
    func value(of secret: Secret) -> String? {
        let fresh = (try? SecretReader.read(secret)).map { String(decoding: $0, as: UTF8.self) }
        return known.withLock { known in
            guard let fresh else { return known[secret] }
            known[secret] = fresh
            return fresh
        }
    }
}
