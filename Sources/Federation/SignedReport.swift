/// A report as it travels: the exact bytes that its author signed, relayed verbatim by everybody else.
package struct SignedReport: Sendable, Hashable {
    /// Which federation key signed.
    package let key: String
    package let bytes: [UInt8]
    /// HMAC-SHA256 over `bytes`: 32 octets.
    package let signature: [UInt8]

    package init(key: String, bytes: [UInt8], signature: [UInt8]) {
        self.key = key
        self.bytes = bytes
        self.signature = signature
    }
}
