import COpenSSL
import Model
import Topology

/// TLS 1.2 or later as a client, without a socket: takes and gives octets. Confined to the task that uses it.
@safe
final class TLSChannel {
    struct Failure: Error {
        let text: String
    }

    /// Whom to believe to be the server.
    enum Trust: Sendable, Hashable {
        /// Whoever answers: nobody can listen, but somebody can stand between.
        case anybody
        /// Who shows a certificate that leads to one in the file `roots`, or to one that the system trusts.
        case certificate(roots: String?)
        /// And whose certificate is for this name, or for this address where there is no name.
        case name(String?, IPAddress, roots: String?)
    }

    private static let blockSize = 16_384

    private let settings: OpaquePointer
    private let session: OpaquePointer

    init(_ trust: Trust) throws(Failure) {
        var (verifies, file, host, address) = (true, String?.none, String?.none, String?.none)
        switch trust {
        case .anybody: verifies = false
        case .certificate(let roots): file = roots
        case .name(let name, let ip, let roots): (file, host, address) = (roots, name, "\(ip)")
        }
        let roots = try file.map { path throws(Failure) in try Self.certificates(path) }
        let settings =
            unsafe roots.map { roots in
                unsafe roots.withUnsafeBytes {
                    unsafe meridian_tls_settings(verifies, $0.baseAddress, CInt(clamping: $0.count))
                }
            } ?? meridian_tls_settings(verifies, nil, 0)
        guard let settings = unsafe settings else {
            throw Failure(
                text: file.map { "\($0) holds no certificates in PEM" } ?? "the system's certificates cannot be read")
        }
        let session = unsafe Self.withOptional(host) { host in
            unsafe Self.withOptional(address) { unsafe meridian_tls_session(settings, host, $0) }
        }
        guard let session = unsafe session else {
            unsafe SSL_CTX_free(settings)
            throw Failure(text: "TLS cannot be prepared for \(host ?? address ?? "the server")")
        }
        unsafe self.settings = unsafe settings
        unsafe self.session = unsafe session
    }

    deinit {
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(settings)
    }

    /// Octets of a file of certificates: a distribution's are 200 KiB.
    private static let longest = 4 << 20

    /// A pipe or a device in its place would be waited for.
    private static func certificates(_ path: String) throws(Failure) -> [UInt8] {
        do throws(RegularFile.Refusal) {
            let octets = try RegularFile.read(path, limit: longest)
            // An empty array has no address, which would mean the system's.
            return octets.isEmpty ? [0x0a] : octets
        } catch { throw Failure(text: "\(path) cannot be read: \(error)") }
    }

    /// Why `trust` cannot be put to use; nil when it can.
    static func trouble(_ trust: Trust) -> String? {
        do throws(Failure) {
            _ = try TLSChannel(trust)
            return nil
        } catch { return error.text }
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: true when it is complete; otherwise more octets are needed.
    func handshake() throws(Failure) -> Bool {
        let result = unsafe meridian_tls_handshake(session)
        if result == 1 { return true }
        guard unsafe meridian_tls_waits(session, result) else { throw failure() }
        return false
    }

    /// Octets from the network.
    func receive(_ octets: [UInt8]) throws(Failure) {
        let taken = unsafe octets.withUnsafeBytes {
            unsafe meridian_tls_receive(session, $0.baseAddress, CInt(clamping: $0.count))
        }
        guard taken == octets.count else { throw Failure(text: "TLS is out of memory") }
    }

    /// Octets for the network; empty when there are none.
    func transmit() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let block = unsafe Self.block { unsafe meridian_tls_transmit(session, $0, $1) }
            if block.isEmpty { return all }
            all += block
        }
    }

    /// What the server said, as far as it has come.
    ///
    /// - Returns: the octets, and whether the server has ended the channel in order.
    func read() throws(Failure) -> (octets: [UInt8], isOver: Bool) {
        var all: [UInt8] = []
        while true {
            var result: CInt = 0
            let block = unsafe Self.block {
                result = unsafe meridian_tls_read(session, $0, $1)
                return result
            }
            all += block
            if !block.isEmpty { continue }
            if unsafe meridian_tls_waits(session, result) { return (all, false) }
            if unsafe SSL_get_error(session, result) == SSL_ERROR_ZERO_RETURN { return (all, true) }
            throw failure()
        }
    }

    func write(_ octets: [UInt8]) throws(Failure) {
        let written = unsafe octets.withUnsafeBytes {
            unsafe meridian_tls_write(session, $0.baseAddress, CInt(clamping: $0.count))
        }
        guard written == octets.count else { throw failure() }
    }

    private func failure() -> Failure {
        guard let reason = unsafe meridian_tls_reason(session) else { return Failure(text: "TLS failed") }
        return Failure(text: unsafe "TLS failed: \(String(cString: reason))")
    }

    private static func block(_ fill: (UnsafeMutableRawPointer?, CInt) -> CInt) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: blockSize) { room, count in
            count = max(0, Int(unsafe fill(room.baseAddress, CInt(clamping: room.count))))
        }
    }

    private static func withOptional<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}
