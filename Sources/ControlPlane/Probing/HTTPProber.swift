import Model

/// Up when the answer's status is an accepted one and its body has the wanted text. Each probe opens a connection of its
/// own: a server whose listener died still answers on old ones.
struct HTTPProber {
    /// Octets of the body that are searched, as much as AWS and HAProxy look at.
    private static let examined = 5120

    let client: HTTPClient
    let mark: CheckMark?

    func probe(_ address: SocketAddress, _ probe: HTTPProbe, timeout: Duration) async -> ProbeOutcome {
        await ask(address, probe, timeout: timeout, connection: .fresh, since: .now).outcome
    }

    /// What became of a question.
    struct Asked {
        var outcome: ProbeOutcome
        /// The server answered, or nobody listens: asked again it says the same.
        var isCertain = true
        /// The connection is not to be used again.
        var closes = false
    }

    /// Asks over `connection`, `timeout` at most. The latency of what comes of it counts from `start`.
    func ask(
        _ address: SocketAddress, _ probe: HTTPProbe, timeout: Duration, connection: HTTPClientRequest.Connection,
        since start: ContinuousClock.Instant
    ) async -> Asked {
        var request = Self.request(address, probe, timeout: timeout)
        request.connection = connection
        let asked = SocketAddress(address.address, port: probe.port ?? address.port)
        if let value = mark?.value(for: asked, now: .now) { request.headers.append((CheckMark.header, value)) }
        do throws(HTTPClientError) {
            let response = try await client.request(request)
            let reason = Self.failure(of: response, probe)
            let outcome = ProbeOutcome(
                up: reason == nil, reason: reason ?? "HTTP \(response.status)", latency: start.duration(to: .now))
            let word = response.header("Connection")?.lowercased()
            return Asked(outcome: outcome, closes: word == "close" || response.body.count >= Self.examined)
        } catch .shortage(let shortage, let text) {
            let outcome = ProbeOutcome.missed(shortage, reason: text.lowercased(), latency: start.duration(to: .now))
            return Asked(outcome: outcome, closes: true)
        } catch {
            let reason = "\(error)"
            let outcome = ProbeOutcome(up: false, reason: reason.lowercased(), latency: start.duration(to: .now))
            let isCertain = if case .connect = error { true } else { error == .headTooLarge || error == .shutDown }
            return Asked(outcome: outcome, isCertain: isCertain, closes: true)
        }
    }

    static func request(_ address: SocketAddress, _ probe: HTTPProbe, timeout: Duration) -> HTTPClientRequest {
        let asked = SocketAddress(address.address, port: probe.port ?? address.port)
        var headers = [(name: "User-Agent", value: "meridian-probe")]
        if let host = probe.host { headers.append(("Host", host)) }
        return HTTPClientRequest(
            url: "http://\(asked)\(probe.path)", headers: headers, timeout: timeout, connectTimeout: timeout,
            maximumBodySize: examined, overflow: .truncate, connection: .fresh)
    }

    /// Why an answer does not pass; nil when it does.
    static func failure(of response: HTTPClientResponse, _ probe: HTTPProbe) -> String? {
        guard probe.statuses.contains(where: { $0.contains(response.status) }) else { return "HTTP \(response.status)" }
        guard let wanted = probe.contains, !wanted.isEmpty else { return nil }
        let body = response.body[...]
        let text = Array(wanted.utf8)
        var start = body.startIndex
        while body.endIndex - start >= text.count {
            if body[start...].starts(with: text) { return nil }
            start += 1
        }
        return "HTTP \(response.status) without \"\(wanted)\""
    }
}
