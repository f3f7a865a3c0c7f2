import Engine
import HTTPWire
import Model

/// One connection of the control plane's server: collects a request, hands it out, writes the answer.
package final class ControlSession: ServerSession {
    private let host: ControlHost
    let number: UInt64
    /// Grows with each request, so that a late reply never answers the next one.
    private(set) var exchange: UInt64 = 0
    private var request: HTTPServer.Request?
    private var body = BodyReader(.none)
    private var isHead = false
    private var keepsAlive = false
    private var isAnswering = false
    /// A whole request is being worked on.
    private(set) var isBusy = false
    private var output: [UInt8] = []
    private var sent = 0

    init(host: ControlHost, limits: SessionLimits, number: UInt64, descriptor: CInt, peer: SocketAddress) {
        self.host = host
        self.number = number
        super.init(context: host.context, limits: limits, descriptor: descriptor, peer: peer)
    }

    override public func requestReceived() {
        let head = context.request
        exchange += 1
        isAnswering = false
        isHead = head.method == .head
        keepsAlive = head.keepsAlive && !context.isDraining
        guard let path = normalisedPath() else {
            reject(status: 400, reason: HeadFault.malformedPath.reason)
            return
        }
        if case .length(let length) = head.framing, length > UInt64(host.limits.bodySize) {
            reject(status: 413, reason: "body-too-large")
            return
        }
        request = HTTPServer.Request(
            method: text(head.methodText), path: path, query: String(text(head.query).dropFirst()),
            headers: (0..<head.fields.count).map { index in
                HTTPServer.Header(name: text(head.fields[index].name), value: text(head.fields[index].value))
            },
            peer: peer)
        body = BodyReader(head.framing, decodes: true)
        if head.expectsContinue, !body.isComplete { sendContinue() }
        input.consume(head.length)
        setDeadline(after: limits.headTimeout)
        collectBody()
    }

    private func normalisedPath() -> String? {
        let head = context.request
        if head.isAsterisk { return "*" }
        if head.path.isEmpty { return "/" }
        guard head.pathNeedsNormalising else { return text(head.path) }
        guard
            let count = input.withBytes(
                head.path.start..<head.path.end, { unsafe PathNormaliser.normalise($0, into: context.pathScratch) })
        else { return nil }
        return unsafe String(decoding: context.pathScratch[..<count], as: UTF8.self)
    }

    private func text(_ slice: Slice) -> String {
        input.withBytes(slice.start..<slice.end) { bytes in
            unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }

    private func sendContinue() {
        let line: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
        let bytes = unsafe UnsafeRawBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount)
        if unsafe send(bytes.bytes, RawSpan()) == nil { close() }
    }

    override public func bodyReadable() {
        if request != nil { collectBody() }
    }

    private func collectBody() {
        while descriptor >= 0, !body.isComplete {
            if !input.isEmpty {
                let passage = input.withMutableBytes(from: 0) { body.pass($0) }
                if passage.isMalformed {
                    reject(status: 400, reason: "malformed-body")
                    return
                }
                input.withBytes(0..<passage.kept) { bytes in
                    unsafe bytes.withUnsafeBytes { unsafe request?.body.append(contentsOf: $0) }
                }
                input.consume(passage.taken)
                guard request?.body.count ?? 0 <= host.limits.bodySize else {
                    reject(status: 413, reason: "body-too-large")
                    return
                }
                if body.isComplete { break }
                // Part of a line may be left, which needs room behind it.
                input.compact()
            }
            switch fill() {
            case .bytes: continue
            case .nothing: return
            case .ended, .failed:
                close()
                return
            }
        }
        guard descriptor >= 0, let complete = request else { return }
        request = nil
        suspendDeadline()
        isBusy = true
        host.handle(complete, session: number, exchange: exchange)
    }

    private func reject(status: Int, reason: StaticString) {
        request = nil
        respond(status: status, reason: reason, isHead: isHead, closes: true)
        if descriptor >= 0 { closeAfterResponse(hasUnread: true) }
    }

    override public func exchangeTimedOut() {
        if isAnswering { close() } else { reject(status: 408, reason: "body-timeout") }
    }

    // MARK: - Answer

    /// Writes the answer; once per exchange.
    func answer(_ response: HTTPServer.Response) {
        guard phase == .exchange, !isAnswering else { return }
        isAnswering = true
        isBusy = false
        if response.isTrusted { host.trust(number) }
        // Who does not know the secret has no business here.
        keepsAlive = keepsAlive && !context.isDraining && response.status != 401
        output = ResponseBytes.encode(response, isHead: isHead, keepsAlive: keepsAlive, date: worker.wallClock)
        sent = 0
        sendOutput()
    }

    override public var isWithinResponse: Bool { !output.isEmpty }

    override public func outputDrained() {
        if isAnswering { sendOutput() }
    }

    private func sendOutput() {
        let result: Int? = unsafe output.withUnsafeBytes { bytes in
            unsafe send(RawSpan(), UnsafeRawBufferPointer(rebasing: bytes[sent...]).bytes)
        }
        guard let count = result else {
            close()
            return
        }
        sent += count
        guard sent == output.count else {
            setDeadline(after: limits.bodyTimeout)
            return
        }
        output = []
        if keepsAlive {
            exchangeEnded(consumed: 0)
        } else {
            closeAfterResponse(hasUnread: false)
        }
    }

    override public func sessionClosed() { host.remove(number) }
}
