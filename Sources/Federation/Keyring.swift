import Crypto
package import Model

/// The federation's shared secrets. The first key signs; all of them verify, so that a key is rotated in three steps: add
/// the new one last everywhere, move it to the front everywhere, drop the old one.
package struct Keyring: Sendable {
    /// Shorter secrets can be guessed from one captured report.
    package static let leastSecretSize = 16

    private let keys: [(id: String, secret: SymmetricKey)]

    /// - Parameter keys: at least one; the first signs.
    package init?(_ keys: [(id: String, secret: [UInt8])]) {
        if keys.isEmpty { return nil }
        self.keys = keys.map { ($0.id, SymmetricKey(data: $0.secret)) }
    }

    package func sign(_ bytes: [UInt8]) -> SignedReport {
        SignedReport(key: keys[0].id, bytes: bytes, signature: Array(code(bytes, keys[0].secret)))
    }

    package func verifies(_ report: SignedReport) -> Bool {
        guard let key = keys.first(where: { $0.id == report.key }) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            report.signature, authenticating: report.bytes, using: key.secret)
    }

    // MARK: - Requests

    /// The value of the `Meridian-Authorization` header: `key node milliseconds code`. The code covers all of it and the
    /// request's target, so that it opens nothing else and nothing later than the clock skew allows.
    package func authorization(node: String, target: String, now: Timestamp) -> String {
        let milliseconds = String(now.milliseconds)
        let code = code(Self.request(keys[0].id, node, milliseconds, target), keys[0].secret)
        return "\(keys[0].id) \(node) \(milliseconds) \(Self.hex(code))"
    }

    /// - Returns: the name of the node that asks, or nil when the header is missing, forged or out of time.
    package func authorizes(_ header: String?, target: String, now: Timestamp, clockSkew: Duration) -> String? {
        let parts = (header ?? "").split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let milliseconds = Int64(parts[2]), milliseconds >= 0, milliseconds < 1 << 43,
            let key = keys.first(where: { $0.id == parts[0] }), let code = Self.octets(parts[3])
        else { return nil }
        let distance = now - Timestamp(milliseconds: milliseconds)
        guard distance <= clockSkew, distance >= .zero - clockSkew,
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Self.request(parts[0], parts[1], parts[2], target), using: key.secret)
        else { return nil }
        return parts[1]
    }

    // MARK: - Checks

    /// What marks a check of `address` in `period`, by each key, that which signs first: 32 hexadecimal digits.
    package func checkCodes(_ address: SocketAddress, period: Int64) -> [String] {
        let bytes = Array("meridian-check-1\n\(address)\n\(period)".utf8)
        return keys.map { Self.hex(Array(code(bytes, $0.secret)).prefix(16)) }
    }

    private func code(_ bytes: [UInt8], _ secret: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: bytes, using: secret)
    }

    /// Starts with a word that no report starts with (those are JSON objects): a report's code never opens a request.
    private static func request(_ key: String, _ node: String, _ time: String, _ target: String) -> [UInt8] {
        Array("meridian-request-1\n\(key)\n\(node)\n\(time)\n\(target)".utf8)
    }

    // MARK: - Hexadecimal

    package static func hex(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digit($0 >> 4), digit($0 & 15)] }, as: UTF8.self)
    }

    /// Nil when `text` is no even number of hexadecimal digits.
    package static func octets(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map(value)
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        case 0x41...0x46: digit - 0x37
        default: nil
        }
    }
}
