import ControlPlane

/// Speaks to admin APIs. One for the whole command: its connections are shared.
struct AdminClient: Sendable {
    private let http = HTTPClient()
    let timeout: Duration

    /// Why there is no answer that can be used.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// True when nothing answered at all, so that the node may be down.
        let isUnreachable: Bool
    }

    /// `having`: a member that the answer has when a node gave it. Something else that listens there answers 200, too.
    func get(_ path: String, from target: Target, having member: String? = nil) async -> Result<StatusValue, Failure> {
        Self.checked(await send("GET", path, body: nil, to: target), member)
    }

    func post(
        _ path: String, _ body: StatusValue, to target: Target, having member: String? = nil
    ) async -> Result<StatusValue, Failure> {
        Self.checked(await send("POST", path, body: body, to: target), member)
    }

    func delete(
        _ path: String, from target: Target, having member: String? = nil
    ) async -> Result<StatusValue, Failure> {
        Self.checked(await send("DELETE", path, body: nil, to: target), member)
    }

    private static func checked(_ answer: Result<StatusValue, Failure>, _ member: String?) -> Result<
        StatusValue, Failure
    > {
        answer.flatMap { value in
            guard let member, value[member] == .null else { return .success(value) }
            return .failure(
                Failure(description: "this is no answer of a node: it has no \"\(member)\"", isUnreachable: false))
        }
    }

    /// Asks every node at once. Answers stand in the order of `targets`.
    func ask(
        _ targets: [Target], _ question: @escaping @Sendable (Target) async -> Result<StatusValue, Failure>
    ) async -> [(target: Target, answer: Result<StatusValue, Failure>)] {
        await withTaskGroup(of: (Int, Result<StatusValue, Failure>).self) { group in
            for (index, target) in targets.enumerated() {
                group.addTask { (index, await question(target)) }
            }
            var answers: [Int: Result<StatusValue, Failure>] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return targets.enumerated().compactMap { index, target in answers[index].map { (target, $0) } }
        }
    }

    private func send(
        _ method: String, _ path: String, body: StatusValue?, to target: Target
    ) async -> Result<StatusValue, Failure> {
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let token = target.token { headers.append(("Authorization", "Bearer \(token)")) }
        var bytes: [UInt8] = []
        if let body {
            headers.append(("Content-Type", "application/json"))
            bytes = body.json()
        }
        let request = HTTPClientRequest(
            url: target.url + path, method: method, headers: headers, body: bytes, timeout: timeout,
            connectTimeout: timeout)
        do {
            let response = try await http.request(request)
            let value = StatusValue(json: response.body)
            guard (200..<300).contains(response.status) else {
                let text = value.flatMap(Self.explanation) ?? Self.sentence(Self.firstLine(response.body))
                return .failure(
                    Failure(description: "\(response.status)" + (text.isEmpty ? "" : ":\(text)"), isUnreachable: false)
                )
            }
            guard let value else {
                return response.body.isEmpty
                    ? .success(.object([:]))
                    : .failure(Failure(description: "the answer is not JSON", isUnreachable: false))
            }
            return .success(value)
        } catch {
            return .failure(Failure(description: error.description, isUnreachable: true))
        }
    }

    /// The text of an error's answer: a list of diagnostics, or one sentence.
    private static func explanation(_ value: StatusValue) -> String? {
        let diagnostics = value["diagnostics"].array.compactMap(\.string)
        if !diagnostics.isEmpty { return "\n  " + diagnostics.joined(separator: "\n  ") }
        return (value["error"].string ?? value["message"].string).map(sentence)
    }

    private static func sentence(_ text: String) -> String { text.isEmpty ? "" : " " + text }

    private static func firstLine(_ body: [UInt8]) -> String {
        String(decoding: body.prefix(200), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }
}
