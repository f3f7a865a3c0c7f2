import CLinux
import Engine
import Glibc
import Model
import StreamWire

/// Why a look at a database failed.
struct ProbeFailure: Error, Sendable {
    var text: String
    /// SQLSTATE, when the server said one.
    var state = ""
    /// What we ourselves lacked; then the look tells nothing about the server.
    var shortage: Shortage?

    init(_ text: String, state: String = "") {
        self.text = text
        self.state = state
    }

    /// A system call failed.
    init(_ code: CInt) {
        text = SocketError.text(code).lowercased()
        shortage = Shortage(code)
    }

    init(_ complaint: PostgreSQLComplaint) { self.init(complaint.sentence, state: complaint.state) }
}

/// A TCP connection to a database with the messages that come over it, in plain text or TLS. Closed with the object.
/// Confined to the task that probes this target.
final class ServerConnection {
    /// Octets that a server may send between two checks without being asked, or as an answer to one. Honest ones send some
    /// hundred.
    static let allowance = 65_536

    private let descriptor: CInt
    private let waiter: SocketWaiter
    private var tls: TLSChannel?
    private var stream = PostgreSQLStream()
    private var spent = 0
    /// Whether the server waits for queries and is told when there will be none.
    var isLoggedIn = false

    /// Connects.
    init(_ address: SocketAddress, _ waiter: SocketWaiter, until deadline: ContinuousClock.Instant)
        async throws(ProbeFailure)
    {
        self.waiter = waiter
        do throws(SocketError) {
            descriptor = try Socket.connect(address)
        } catch {
            throw ProbeFailure(error.code)
        }
        guard await waiter.wait(descriptor, for: .writable, until: deadline) else {
            throw ProbeFailure("connect timed out")
        }
        let code = Socket.pendingError(descriptor)
        guard code == 0 else { throw ProbeFailure(code) }
    }

    deinit {
        if isLoggedIn {
            var goodbye = PostgreSQLRequest.terminate
            if let tls {
                try? tls.write(goodbye)
                goodbye = tls.transmit()
            }
            _ = unsafe goodbye.withUnsafeBytes { unsafe meridian_send(descriptor, $0.baseAddress, $0.count) }
        }
        Socket.close(descriptor)
    }

    /// From here on the server may send `allowance` octets again.
    func renewAllowance() { spent = 0 }

    // MARK: - TLS

    /// Asks for TLS, in which everything goes from here on if the server has it.
    ///
    /// - Returns: false when the server goes on in plain text.
    func encrypt(_ trust: TLSChannel.Trust, until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> Bool
    {
        try await put(PostgreSQLRequest.encryption, until: deadline)
        // One octet and no more: what came with it in plain text would be taken for what the server said in TLS.
        switch try await take(1, until: deadline) {
        case [UInt8(ascii: "S")]: break
        case [UInt8(ascii: "N")]: return false
        case [UInt8(ascii: "E")]: throw ProbeFailure("it does not understand the request for TLS")
        default: throw ProbeFailure("what it says is not PostgreSQL's protocol")
        }
        do throws(TLSChannel.Failure) {
            let tls = try TLSChannel(trust)
            while true {
                let isComplete: Bool
                do throws(TLSChannel.Failure) {
                    isComplete = try tls.handshake()
                } catch {
                    // The alert tells the server why.
                    _ = await settle { () async throws(ProbeFailure) in try await put(tls.transmit(), until: deadline) }
                    throw error
                }
                if let failure = await settle({ () async throws(ProbeFailure) in
                    try await put(tls.transmit(), until: deadline)
                }) {
                    throw TLSChannel.Failure(text: failure.text)
                }
                if isComplete { break }
                var octets: [UInt8] = []
                if let failure = await settle({ () async throws(ProbeFailure) in
                    octets = try await take(4096, until: deadline)
                }) {
                    throw TLSChannel.Failure(text: failure.text)
                }
                try tls.receive(octets)
            }
            self.tls = tls
        } catch {
            throw ProbeFailure(error.text)
        }
        return true
    }

    private func settle(_ body: () async throws(ProbeFailure) -> Void) async -> ProbeFailure? {
        do throws(ProbeFailure) {
            try await body()
            return nil
        } catch { return error }
    }

    // MARK: - Messages

    func send(_ octets: [UInt8], until deadline: ContinuousClock.Instant) async throws(ProbeFailure) {
        guard let tls else { return try await put(octets, until: deadline) }
        do throws(TLSChannel.Failure) { try tls.write(octets) } catch { throw ProbeFailure(error.text) }
        try await put(tls.transmit(), until: deadline)
    }

    /// The next message, waiting for it until `deadline`.
    func next(until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> PostgreSQLMessage {
        while true {
            if let message = try arrived() { return message }
            try await fill(until: deadline)
        }
    }

    /// The next message that has come already.
    func arrived() throws(ProbeFailure) -> PostgreSQLMessage? {
        do throws(PostgreSQLStream.Breach) { return try stream.next() } catch { throw ProbeFailure("\(error)") }
    }

    /// Reads what the server sends unasked, for as long as it goes on.
    ///
    /// - Returns: false when nothing came until `deadline`.
    func listen(until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> Bool {
        guard await waiter.wait(descriptor, for: .readable, until: deadline) else { return false }
        try await fill(until: deadline)
        return true
    }

    private func fill(until deadline: ContinuousClock.Instant) async throws(ProbeFailure) {
        let octets = try await take(Self.blockSize, until: deadline)
        guard let tls else { return stream.append(octets) }
        let said: (octets: [UInt8], isOver: Bool)
        do throws(TLSChannel.Failure) {
            try tls.receive(octets)
            said = try tls.read()
        } catch { throw ProbeFailure(error.text) }
        stream.append(said.octets)
        if said.isOver, said.octets.isEmpty { throw ProbeFailure(Self.ended) }
        // Key updates have answers.
        try await put(tls.transmit(), until: deadline)
    }

    // MARK: - Octets

    private static let blockSize = 16_384
    private static let ended = "the server closed the connection"

    /// Waits for octets, `most` at most.
    private func take(_ most: Int, until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> [UInt8] {
        while true {
            var code: CInt = 0
            var isOver = false
            let octets = unsafe [UInt8](unsafeUninitializedCapacity: most) { room, count in
                let result = unsafe recv(descriptor, room.baseAddress, room.count, 0)
                if result < 0 { code = errno }
                isOver = result == 0
                count = max(0, result)
            }
            if isOver { throw ProbeFailure(Self.ended) }
            if !octets.isEmpty {
                spent += octets.count
                guard spent <= Self.allowance else {
                    throw ProbeFailure("it sends more than \(Self.allowance) octets that nobody asked for")
                }
                return octets
            }
            guard code == EAGAIN || code == EINTR else { throw ProbeFailure(code) }
            guard await waiter.wait(descriptor, for: .readable, until: deadline) else {
                throw ProbeFailure("no answer in time")
            }
        }
    }

    private func put(_ octets: [UInt8], until deadline: ContinuousClock.Instant) async throws(ProbeFailure) {
        var rest = octets[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes { unsafe meridian_send(descriptor, $0.baseAddress, $0.count) }
            if sent > 0 {
                rest = rest.dropFirst(sent)
                continue
            }
            let code = errno
            guard code == EAGAIN || code == EINTR else { throw ProbeFailure(code) }
            guard await waiter.wait(descriptor, for: .writable, until: deadline) else {
                throw ProbeFailure("no answer in time")
            }
        }
    }
}
