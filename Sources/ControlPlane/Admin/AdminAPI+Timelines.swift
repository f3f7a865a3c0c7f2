import HTTPExchange
import Health
import Model

/// `/timelines`: the highest timelines of databases that are known, and the operator's word that a lower one is right.
extension AdminAPI {
    static let timelinesPath = "/timelines"

    /// Nil when the request is not about timelines.
    func timelines(_ request: HTTPServer.Request) -> HTTPServer.Response? {
        guard request.path == Self.timelinesPath else { return nil }
        switch request.method {
        case "GET", "HEAD":
            return .json(["timelines": .array(node.probing.timelines.sorted.map(Self.value))])
        case "POST": return accept(request)
        default: return .problem(405, "GET or POST", [("Allow", "GET, HEAD, POST")])
        }
    }

    private func accept(_ request: HTTPServer.Request) -> HTTPServer.Response {
        let wish = StatusValue(json: request.body)
        guard let pool = wish?["pool"].string,
            let timeline = wish?["timeline"].int.flatMap({ UInt32(exactly: $0) }), timeline > 0,
            let reason = wish?["reason"].string, !reason.isEmpty
        else {
            return .problem(400, #"the body is {"pool": "orders", "timeline": 1, "reason": "text"}"#)
        }
        let author = wish?["author"].string ?? "\(request.peer.address)"
        guard reason == reason.printable, reason.utf8.count <= Override.longestReason, author == author.printable,
            !author.isEmpty, author.utf8.count <= Override.longestName
        else { return .problem(400, "author and reason are short texts on one line") }
        let now = Timestamp(milliseconds: node.hub.timeOfDay.now.milliseconds)
        switch node.probing.acceptTimeline(timeline, pool: pool, now: now) {
        case .accepted(let entries):
            node.board.events.record(
                .override, "pool \(pool)",
                "timeline \(timeline) accepted by \(author), though a later one was known: \(reason)",
                severity: .warning)
            node.wakes.ring()
            return .json(["accepted": .array(entries.map(Self.value))])
        case .noDatabases(let pools):
            let some = pools.isEmpty ? "none at all" : pools.joined(separator: ", ")
            return .problem(
                404,
                "this node checks no databases of a pool '\(pool.clipped(to: 80).printable)' (it does of: \(some));"
                    + " ask an L4 node of the region that the server is in")
        case .noSuchPrimary(let fenced):
            let known = fenced.map(String.init).joined(separator: ", ")
            let some = fenced.isEmpty ? "there is none for any" : "there are for: \(known)"
            return .problem(
                409, "no primary of pool \(pool) is fenced off for its timeline \(timeline); \(some)")
        case .isThere(let address, let later):
            return .problem(
                409, "\(address) is up and has timeline \(later): stop it, or make it a replica of the other one, first"
            )
        }
    }

    private static func value(_ known: ClusterTimeline) -> StatusValue {
        [
            "pool": .string(known.key.pool), "region": .string(known.key.region),
            "system": .string(String(known.key.system)), "timeline": .init(known.timeline),
            "accepted": known.accepted == 0 ? .null : .init(known.accepted),
        ]
    }
}
