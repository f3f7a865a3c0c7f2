import CCurl
import Engine
import Glibc
import Model
import Synchronization

/// One request on its way. The requester makes it and may cancel it; all else happens on the driver's thread.
@safe
final class CurlTransfer: @unchecked Sendable {
    typealias Outcome = Result<HTTPClientResponse, HTTPClientError>

    let request: HTTPClientRequest
    private let cancelled = Atomic(false)
    /// Set before the driver sees the transfer, taken once.
    private let waiter = Mutex<CheckedContinuation<Outcome, Never>?>(nil)

    // Confined to the driver's thread.
    private var easy: UnsafeMutableRawPointer?
    private var lists: [UnsafeMutablePointer<curl_slist>] = unsafe []
    private var outgoing: UnsafeMutableBufferPointer<UInt8>?
    /// Octets of all heads and trailers of an answer: more than any real one, less than the 100 KB at which libcurl gives up
    /// as if we had no memory.
    private static let maximumHeadSize = 16 << 10

    private var headers: [(name: String, value: String)] = []
    private var headSize = 0
    private var body: [UInt8] = []
    private var overflowed = false
    /// Why no socket could be had; 0 when one was.
    private var socketError: CInt = 0
    private var intake = Intake()
    private var kept: KeptSockets?

    /// The connection that the request brought, until libcurl has it; -1 without one.
    private var given: CInt = -1

    init(_ request: HTTPClientRequest) {
        self.request = request
        if case .given(let descriptor, _) = request.connection { given = descriptor }
    }

    deinit { if given >= 0 { close(given) } }

    private func takeGiven() -> CInt {
        defer { given = -1 }
        return given
    }

    func expect(_ continuation: CheckedContinuation<Outcome, Never>) {
        waiter.withLock { $0 = continuation }
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }

    /// Answers the requester, the first time only.
    func finish(_ outcome: Outcome) {
        let continuation = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        continuation?.resume(returning: outcome)
    }

    /// Makes the easy handle; nil when libcurl is out of memory.
    func prepare(_ kept: KeptSockets) -> UnsafeMutableRawPointer? {
        self.kept = kept
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = unsafe easy
        set(CURLOPT_URL, request.url)
        set(CURLOPT_CUSTOMREQUEST, request.method)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // Nodes talk to each other directly, whatever the environment says about proxies.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.wholeMilliseconds)
        if let timeout = request.timeout { set(CURLOPT_TIMEOUT_MS, timeout.wholeMilliseconds) }
        if request.method == "HEAD" { set(CURLOPT_NOBODY, 1) }
        switch request.connection {
        case .kept: break
        case .last: set(CURLOPT_FORBID_REUSE, 1)
        case .fresh, .given(_, keeps: false):
            set(CURLOPT_FRESH_CONNECT, 1)
            set(CURLOPT_FORBID_REUSE, 1)
        case .given(_, keeps: true): set(CURLOPT_FRESH_CONNECT, 1)
        }
        if !request.body.isEmpty {
            let outgoing = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: request.body.count)
            _ = unsafe outgoing.initialize(from: request.body)
            unsafe self.outgoing = unsafe outgoing
            set(CURLOPT_POSTFIELDSIZE, request.body.count)
            unsafe meridian_curl_set_pointer(easy, CURLOPT_POSTFIELDS, outgoing.baseAddress)
        }
        // An empty `Expect` keeps libcurl from waiting for 100 Continue before a body.
        set(CURLOPT_HTTPHEADER, request.headerLines + ["Expect:"])
        if let address = request.connectTo { set(CURLOPT_CONNECT_TO, ["::\(address)"]) }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe meridian_curl_set_write(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            let chunk = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().receive(body: chunk)
        }
        unsafe meridian_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        unsafe meridian_curl_set_write(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().receive(header: line)
        }
        unsafe meridian_curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        // libcurl does not tell why it got no socket.
        unsafe meridian_curl_set_open(easy) { context, _, address in
            guard let context = unsafe context, let address = unsafe address else { return -1 }
            let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            let given = transfer.takeGiven()
            let descriptor =
                given >= 0
                ? given
                : unsafe socket(
                    address.pointee.family, address.pointee.socktype | CInt(SOCK_CLOEXEC.rawValue),
                    address.pointee.protocol)
            if descriptor < 0 { transfer.socketError = errno } else { transfer.intake.opens(descriptor) }
            return descriptor
        }
        unsafe meridian_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
        unsafe meridian_curl_set_progress(easy) { context, _, _, _, _ in
            guard let context = unsafe context else { return 0 }
            return unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().isExcessive ? 1 : 0
        }
        unsafe meridian_curl_set_pointer(easy, CURLOPT_XFERINFODATA, context)
        if given >= 0 { unsafe meridian_curl_set_connected(easy) }
        return unsafe easy
    }

    /// Frees what `prepare` made. The handle must have left its `CURLM`.
    func release() {
        if let easy = unsafe easy { unsafe curl_easy_cleanup(easy) }
        unsafe easy = nil
        while let list = unsafe lists.popLast() { unsafe curl_slist_free_all(list) }
        unsafe outgoing?.deallocate()
        unsafe outgoing = nil
    }

    /// What became of it, once libcurl says that it is done.
    func result(_ code: CURLcode) -> Outcome {
        if code == CURLE_OK || (overflowed && request.overflow == .truncate) {
            return .success(
                HTTPClientResponse(status: long(CURLINFO_RESPONSE_CODE), headers: headers, body: body, timing: timing))
        }
        if overflowed { return .failure(.bodyTooLarge) }
        if isCancelled { return .failure(.cancelled) }
        if intake.isExcessive { return .failure(.excess) }
        if headSize > Self.maximumHeadSize { return .failure(.headTooLarge) }
        let text = unsafe String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timeout)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .failure(.invalidRequest(text))
        case CURLE_COULDNT_CONNECT:
            let number = socketError == 0 ? Int32(truncatingIfNeeded: long(CURLINFO_OS_ERRNO)) : socketError
            if let shortage = Shortage(number) { return .failure(.shortage(shortage, SocketError.text(number))) }
            return .failure(.connect(number == 0 ? text : SocketError.text(number)))
        case CURLE_OUT_OF_MEMORY:
            // libcurl says so of a line that is too long for it, too: that is the server's doing.
            return .failure(hasAnswered ? .headTooLarge : .shortage(.memory, text))
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION:
            return .failure(.connect(text))
        default: return .failure(.transfer(text))
        }
    }

    /// Whether an octet of an answer came.
    private var hasAnswered: Bool { headSize > 0 || time(CURLINFO_STARTTRANSFER_TIME_T) > .zero }

    private func receive(body chunk: UnsafeRawBufferPointer) -> Int {
        let room = request.maximumBodySize - body.count
        if chunk.count > room {
            unsafe body.append(contentsOf: chunk.prefix(max(0, room)))
            overflowed = true
            // Taking less than offered makes libcurl break off.
            return 0
        }
        unsafe body.append(contentsOf: chunk)
        return chunk.count
    }

    /// Looked at each time that libcurl has read.
    private var isExcessive: Bool {
        // Nothing comes before the head but TLS, whose handshake OpenSSL bounds.
        guard headSize > 0, let kept else { return false }
        return intake.look(used: headSize + body.count, among: kept) { long(CURLINFO_LOCAL_PORT) }
    }

    private func receive(header line: UnsafeRawBufferPointer) -> Int {
        // Interim answers and trailers count too, or they would have no end.
        headSize += line.count
        guard headSize <= Self.maximumHeadSize else { return 0 }
        let text = unsafe String(decoding: line, as: UTF8.self)
        // A status line begins a new head: the one after an interim 1xx answer replaces it.
        if text.hasPrefix("HTTP/") {
            headers = []
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...]
            headers.append((String(text[..<colon]), value.trimmed))
        }
        return line.count
    }

    private var timing: HTTPClientTiming {
        HTTPClientTiming(
            resolved: time(CURLINFO_NAMELOOKUP_TIME_T), connected: time(CURLINFO_CONNECT_TIME_T),
            encrypted: max(time(CURLINFO_APPCONNECT_TIME_T), time(CURLINFO_CONNECT_TIME_T)),
            firstByte: time(CURLINFO_STARTTRANSFER_TIME_T), total: time(CURLINFO_TOTAL_TIME_T))
    }

    private func set(_ option: CURLoption, _ value: Int) {
        unsafe meridian_curl_set_long(easy, option, value)
    }

    private func set(_ option: CURLoption, _ value: String) {
        unsafe meridian_curl_set_string(easy, option, value)
    }

    private func set(_ option: CURLoption, _ values: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            // On failure libcurl leaves the old list as it is.
            if let longer = unsafe curl_slist_append(list, value) { unsafe list = longer }
        }
        guard let list = unsafe list else { return }
        unsafe lists.append(list)
        unsafe meridian_curl_set_list(easy, option, list)
    }

    private func long(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe meridian_curl_get_long(easy, info, &value)
        return value
    }

    private func time(_ info: CURLINFO) -> Duration {
        var value: curl_off_t = 0
        unsafe meridian_curl_get_offset(easy, info, &value)
        return .microseconds(value)
    }
}

extension HTTPClientRequest {
    /// As libcurl takes them; a field without a value is written with a semicolon.
    fileprivate var headerLines: [String] {
        headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    }
}

extension Duration {
    /// For libcurl, to which 0 milliseconds means no limit.
    fileprivate var wholeMilliseconds: Int { max(1, Int(milliseconds)) }
}

extension Substring {
    /// Without white space at either end: spaces, tabs and the line's end.
    fileprivate var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r\n" || $0 == "\r" || $0 == "\n" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
