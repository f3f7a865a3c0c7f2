import DNSTier
import DNSWire
import Foundation
import TestKit
import Testing

/// The Ferret data set: zones and queries on whose answers BIND, Knot, NSD and PowerDNS agree.
@Suite struct ConformanceTests {
    private struct Case: Decodable {
        struct Query: Decodable {
            let Name: String
            let type: String

            enum CodingKeys: String, CodingKey {
                case Name
                case type = "Type"
            }
        }

        let id: Int
        let query: Query
        let zone: String
        let response: [String]

        /// The lines of one section, names and data as we write them.
        func section(_ title: String) throws -> [String] {
            let start = try #require(response.firstIndex(of: ";" + title)) + 1
            return try response[start...].prefix { !$0.hasPrefix(";") }.map { line in
                let parsed = MasterFile.parse(
                    .init(file: "expected", text: Array(line.utf8)), origin: .root, read: { _, _ in nil })
                let record = try #require(parsed.records.first, "\(line)")
                return "\(record.owner) \(record.ttl) \(record.type) \(record.data.description)"
            }.sorted()
        }
    }

    static let file = "dns/cases.jsonl"

    @Test(.enabled(if: PublishedData.has(file), "\(PublishedData.hint)"))
    func agreesWithFourServers() throws {
        let lines = try String(contentsOfFile: PublishedData.path(Self.file), encoding: .utf8).split(separator: "\n")
        let cases = try lines.map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
        #expect(cases.count > 400)
        var failures: [String] = []
        for example in cases {
            if let failure = try check(example) { failures.append("case \(example.id): \(failure)") }
        }
        #expect(
            failures.count == 0, "\(failures.count) of \(cases.count): \(failures.prefix(5).joined(separator: "\n"))")
    }

    private func check(_ example: Case) throws -> String? {
        let origin = try #require(
            example.zone.split(separator: "\n").first { $0.contains("SOA") }?.split(separator: "\t").first)
        let server = try AnsweringServer(zones: [(String(origin), example.zone)])
        let type = try #require(RecordType(example.query.type))
        let reply = try server.ask(example.query.Name, type, over: .tcp)
        let isNegative = !example.response.contains("rcode NOERROR")
        var expectation = [
            "code": [example.response[1].replacingOccurrences(of: "rcode ", with: "")],
            "authoritative": [String(example.response[2].contains("AA"))],
            "answer": try example.section("ANSWER"),
        ]
        var found = [
            "code": [reply.code.description], "authoritative": [String(reply.isAuthoritative)],
            "answer": Message.lines(reply.answer),
        ]
        let authority = try example.section("AUTHORITY")
        // Positive answers may leave the authority section out (minimal responses).
        if isNegative || !reply.isAuthoritative || authority.contains(where: { $0.contains(" SOA ") }) {
            expectation["authority"] = authority
            found["authority"] = Message.lines(reply.authority)
        }
        if !reply.isAuthoritative {
            expectation["additional"] = try example.section("ADDITIONAL")
            found["additional"] = Message.lines(reply.additional)
        }
        return expectation == found ? nil : "\(example.query) expected \(expectation), found \(found)"
    }
}
