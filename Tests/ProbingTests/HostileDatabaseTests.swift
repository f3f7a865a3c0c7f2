import ControlPlane
import Engine
import Glibc
import Model
import Synchronization
import Testing

/// Servers that mean ill, or are broken: whoever probes them lives on, says why, and gives nothing away.
@Suite("Hostile database servers", .timeLimit(.minutes(1)))
struct HostileDatabaseTests {
    /// The first reason on a server that runs `script`.
    private func reason(
        _ check: HealthCheck, _ script: @escaping @Sendable (DatabasePuppet.Peer) -> Void
    ) async throws -> (text: String, said: String) {
        var reason = ""
        var said = ""
        do {
            let watched = try WatchedDatabase(check, script)
            let puppet = watched.puppet
            let reports = watched.reports
            let report = try await reports.first { _ in true }
            #expect(!report.up && report.role == nil)
            reason = report.outcome.reason
            said = String(decoding: puppet.said, as: UTF8.self)
            await watched.stop()
        }
        return (reason, said)
    }

    @Test(
        "Numbers that are none, or beyond every bound",
        arguments: [
            "nan", "-nan", "inf", "-inf", "1e17", "-1e17", "1e400", "9223372036854775808", "", "x", "\u{0}",
        ])
    func numbers(text: String) async throws {
        let rows: [[String?]?] = [
            ["t", text, text, text, text, text, text], [text, text], [text, text],
        ]
        let half: [[String?]?] = [["t", nil, nil, "0/5", "0/4", "5", text], [text, "1"], ["1", text]]
        for rows in [rows, half] {
            do {
                let watched = try WatchedDatabase(databaseCheck(), DatabasePuppet.answering(rows))
                let reports = watched.reports
                let report = try await reports.first { $0.role == .replica }
                #expect(report.up)
                _ = try await reports.first(after: 3) { $0.role == .replica }
                await watched.stop()
            }
        }
    }

    @Test(
        "Rows of other shapes",
        arguments: [
            [[]], [nil], [[nil]], [["t"]], [["true"]], [["f", "x"]], [[], [], []],
        ] as [[[String?]?]])
    func shapes(rows: [[String?]?]) async throws {
        do {
            let watched = try WatchedDatabase(databaseCheck(), DatabasePuppet.answering(rows))
            let reports = watched.reports
            let report = try await reports.first { _ in true }
            let isRole = ["t", "f"].contains(rows[0]?.first ?? "")
            #expect(report.outcome.up == isRole)
            if !isRole { #expect(report.outcome.reason == "no answer to the role query") }
            await watched.stop()
        }
    }

    @Test(
        "More than a row, or what no check asks for, is no answer",
        arguments: [
            DatabasePuppet.row(["f"]) + DatabasePuppet.row(["f"]), DatabasePuppet.message("G", [0, 0, 0]),
            DatabasePuppet.message("R", [0, 0, 0, 0]), [UInt8(ascii: "D"), 0, 0, 0, 3],
            [UInt8(ascii: "Z"), 0, 0, 0, 0],
            [UInt8](repeating: 0, count: 64),
        ])
    func answers(octets: [UInt8]) async throws {
        let (reason, _) = try await reason(databaseCheck()) { peer in
            guard peer.startup() != nil else { return }
            peer.letIn()
            _ = peer.message()
            peer.write(octets)
            _ = peer.message()
        }
        #expect(["it answers with more than a row", "what it says is not PostgreSQL's protocol"].contains(reason))
    }

    enum Moment: CaseIterable { case login, answer, between }

    @Test("What comes unasked is read, and too much of it ends the session", arguments: Moment.allCases)
    func flood(moment: Moment) async throws {
        let notice = DatabasePuppet.notice(String(repeating: "x", count: 1000))
        let script: @Sendable (DatabasePuppet.Peer) -> Void = { peer in
            guard peer.startup() != nil else { return }
            if moment != .login { peer.letIn() }
            if moment == .answer { _ = peer.message() }
            if moment == .between {
                for text in DatabasePuppet.primary {
                    _ = peer.message()
                    peer.write(
                        (text.map(DatabasePuppet.row) ?? []) + DatabasePuppet.message("C", [0]) + DatabasePuppet.ready)
                }
            }
            // A gigabyte, if it were taken.
            for _ in 0..<1_000_000 { guard peer.write(notice) else { return } }
        }
        // One session: who takes it all would go on taking until the timeout.
        do {
            let watched = try WatchedDatabase(databaseCheck(interval: .seconds(60), timeout: .seconds(5)), script)
            let puppet = watched.puppet
            let reports = watched.reports
            if moment == .between {
                // Whoever answers when looked at again did not fail.
                for _ in 0..<500 where puppet.accepted < 2 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(puppet.accepted >= 2)
                #expect(reports.list.allSatisfy { $0.outcome.up })
            } else {
                let report = try await reports.first { !$0.outcome.up }
                #expect(report.outcome.reason == "it sends more than 65536 octets that nobody asked for")
            }
            // The rest lay in the sockets' buffers.
            #expect(puppet.taken < 64 << 20)
            await watched.stop()
        }
    }

    @Test("A few notices are no reason to complain")
    func notices() async throws {
        do {
            let watched = try WatchedDatabase(
                databaseCheck(),
                { peer in
                    guard peer.startup() != nil else { return }
                    peer.write(DatabasePuppet.notice("hello") + DatabasePuppet.message("S", Array("a\0b\0".utf8)))
                    peer.letIn()
                    peer.write(DatabasePuppet.notice("welcome"))
                    peer.answer(DatabasePuppet.primary)
                })
            let reports = watched.reports
            _ = try await reports.first(after: 8) { $0.up }
            #expect(reports.list.allSatisfy { $0.up && $0.role == .primary })
            await watched.stop()
        }
    }

    @Test("A message of a gigabyte is not waited for")
    func huge() async throws {
        for kind in [UInt8(ascii: "E"), UInt8(ascii: "N"), UInt8(ascii: "D")] {
            let (reason, _) = try await reason(databaseCheck()) { peer in
                guard peer.startup() != nil else { return }
                peer.write([kind, 0x40, 0, 0, 0, 0x53])
                _ = peer.message()
            }
            #expect(reason == "a message of 1073741824 octets, more than 16384")
        }
    }

    @Test("An error's text is clipped to 5 KiB and cannot steer a terminal")
    func longText() async throws {
        let text = "\u{1b}[2J\r\n" + String(repeating: "é", count: 8000)
        let (reason, _) = try await reason(databaseCheck()) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.error("FATAL", "28000", text))
        }
        #expect(reason.hasPrefix("FATAL:"))
        #expect(reason.utf8.count <= 5120)
        #expect(reason.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
    }

    // MARK: - Passwords

    @Test("A request for the password in clear is refused", arguments: [PostgreSQLProbe.TLSUse.prefer, .disable])
    func clear(tls: PostgreSQLProbe.TLSUse) async throws {
        let (reason, said) = try await reason(databaseCheck(tls: tls)) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(3))
            while peer.message() != nil {}
        }
        #expect(reason == "it asks for the password in clear, which is never given")
        #expect(!said.contains("horse"))
    }

    @Test("A request for an md5 password is refused unless the check allows it")
    func md5() async throws {
        let script: @Sendable (DatabasePuppet.Peer) -> Void = { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(5, [1, 2, 3, 4]))
            guard let (kind, words) = peer.message() else { return }
            // md5(md5(password + user) + salt), by `md5sum`.
            guard kind == "p", words == Array("md5741182e112c5b6be758bdef0c35f794d\0".utf8) else {
                peer.write(DatabasePuppet.error("FATAL", "28P01", "wrong: \(String(decoding: words, as: UTF8.self))"))
                return
            }
            peer.letIn()
            peer.answer(DatabasePuppet.primary)
        }
        let (reason, said) = try await reason(databaseCheck(), script)
        #expect(reason == "it asks for an md5 password: use scram-sha-256, or md5: true in the check")
        #expect(!said.contains("md5"))
        do {
            let watched = try WatchedDatabase(databaseCheck(md5: true), script)
            let reports = watched.reports
            let report = try await reports.first { _ in true }
            #expect(report.up, "\(report.outcome.reason)")
            await watched.stop()
        }
    }

    @Test("Kinds of login that nobody checks with are refused", arguments: [2, 6, 7, 8, 9, 99, .max] as [UInt32])
    func kinds(kind: UInt32) async throws {
        let (reason, said) = try await reason(databaseCheck()) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(kind, [0, 0, 0, 0]))
            while peer.message() != nil {}
        }
        #expect(reason == "it asks for a login of kind \(kind), which a check does not know")
        #expect(!said.contains("horse"))
    }

    /// Plays the server's part in SCRAM without knowing the password. `challenge` makes its first word from the client's
    /// nonce.
    private func impostor(
        last: String = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        _ challenge: @escaping @Sendable (String) -> String
    ) -> @Sendable (DatabasePuppet.Peer) -> Void {
        { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(10, Array("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0".utf8)))
            guard let (_, first) = peer.message() else { return }
            let nonce = String(decoding: first, as: UTF8.self).split(separator: "r=").last.map(String.init) ?? ""
            peer.write(DatabasePuppet.authentication(11, Array(challenge(nonce).utf8)))
            guard peer.message() != nil else { return }
            peer.write(DatabasePuppet.authentication(12, Array(last.utf8)))
            peer.letIn()
            peer.answer(DatabasePuppet.primary)
        }
    }

    @Test(
        "A server that does not know the password is not believed",
        arguments: [
            "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v=", "v=!", "v=AA==",
        ])
    func wrongSignature(last: String) async throws {
        let (reason, said) = try await reason(
            databaseCheck(), impostor(last: last) { "r=\($0)more,s=c2FsdHNhbHQ=,i=4096" })
        #expect(reason == "it does not know the password itself")
        #expect(!said.contains("horse") && !said.contains("pg_is_in_recovery"))
    }

    @Test(
        "Nobody hashes for hours because a server says so", arguments: ["2147483648", "100001", "9223372036854775807"])
    func rounds(count: String) async throws {
        let (reason, said) = try await reason(databaseCheck(), impostor { "r=\($0)more,s=c2FsdHNhbHQ=,i=\(count)" })
        let cure = "set the password anew with a lower scram_iterations"
        #expect(reason == "it wants \(count) rounds of hashing, more than 100000: \(cure)")
        #expect(!said.contains("c=biws"))
    }

    @Test("As many rounds as are allowed end at the check's timeout, and stop")
    func slowRounds() async throws {
        let slow = databaseCheck(interval: .seconds(60), timeout: .milliseconds(100))
        let (reason, said) = try await reason(
            slow,
            impostor {
                // Late enough for any machine.
                usleep(90_000)
                return "r=\($0)more,s=c2FsdHNhbHQ=,i=100000"
            })
        #expect(["login timed out", "connect timed out"].contains(reason))
        #expect(!said.contains("c=biws"))
    }

    @Test("A server is hashed for once, not at each check")
    func hashedOnce() async throws {
        let times = Mutex<[Duration]>([])
        let check = databaseCheck(interval: .milliseconds(10), timeout: .seconds(20))
        do {
            let watched = try WatchedDatabase(
                check,
                { peer in
                    guard peer.startup() != nil else { return }
                    peer.write(DatabasePuppet.authentication(10, Array("SCRAM-SHA-256\0\0".utf8)))
                    guard let (_, first) = peer.message() else { return }
                    let nonce =
                        String(decoding: first, as: UTF8.self).split(separator: "r=").last.map(String.init) ?? ""
                    let start = ContinuousClock.now
                    peer.write(
                        DatabasePuppet.authentication(11, Array("r=\(nonce)more,s=c2FsdHNhbHQ=,i=100000".utf8)))
                    guard peer.message() != nil else { return }
                    let took = start.duration(to: .now)
                    times.withLock { $0.append(took) }
                })
            for _ in 0..<3000 where times.withLock({ $0.count }) < 8 { try await Task.sleep(for: .milliseconds(10)) }
            await watched.stop()
        }
        let all = times.withLock { $0 }
        #expect(all.count >= 8)
        // Whoever hashes anew takes as long each time.
        let (first, best) = (try #require(all.first), try #require(all.dropFirst().min()))
        #expect(best < first / 4, "\(all)")
    }

    @Test(
        "Challenges that are none",
        arguments: [
            "", "r=NONCEmore", "r=NONCE,s=c2FsdA==,i=4096", "r=other,s=c2FsdA==,i=4096", "r=NONCEmore,s=!!,i=4096",
            "r=NONCEmore,s=,i=4096", "r=NONCEmore,s=c2FsdA==,i=0", "r=NONCEmore,s=c2FsdA==,i=-1",
            "r=NONCEmore,s=c2FsdA==,i=99999999999999999999", "r=NONCEmore,s=c2FsdA==,i=",
            "m=x,r=NONCEmore,s=c2FsdA==,i=1",
            "s=c2FsdA==,r=NONCEmore,i=4096",
        ])
    func challenges(text: String) async throws {
        let (reason, _) = try await reason(databaseCheck(), impostor { text.replacing("NONCE", with: $0) })
        #expect(reason == "its SCRAM message is malformed")
    }

    @Test("A server that breaks SCRAM off and lets us in is not believed")
    func brokenOff() async throws {
        let (reason, said) = try await reason(databaseCheck()) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(10, Array("SCRAM-SHA-256\0\0".utf8)))
            _ = peer.message()
            peer.letIn()
            peer.answer(DatabasePuppet.primary)
        }
        #expect(reason == "it broke its SCRAM exchange off")
        #expect(!said.contains("pg_is_in_recovery"))
    }

    @Test("A server that offers another mechanism only, or wants a password that there is none")
    func mechanisms() async throws {
        let other = try await reason(databaseCheck()) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(10, Array("PLAIN\0\0".utf8)))
            while peer.message() != nil {}
        }
        #expect(other.text == "it offers no SCRAM-SHA-256" && !other.said.contains("horse"))
        let none = try await reason(databaseCheck(password: false)) { peer in
            guard peer.startup() != nil else { return }
            peer.write(DatabasePuppet.authentication(10, Array("SCRAM-SHA-256\0\0".utf8)))
            while peer.message() != nil {}
        }
        #expect(none.text == "it asks for a password, and the check has none")
    }

    // MARK: - TLS

    @Test(
        "Without TLS there is no login where the check insists on it",
        arguments: [
            PostgreSQLProbe.TLSUse.require, .verifyCA, .verifyFull,
        ])
    func insists(tls: PostgreSQLProbe.TLSUse) async throws {
        let (reason, said) = try await reason(databaseCheck(tls: tls)) { peer in
            guard peer.startup() != nil else { return }
            peer.letIn()
        }
        #expect(reason == "it has no TLS, which sslmode: \(tls.rawValue) asks for")
        #expect(!said.contains("user"), "nothing but the request for TLS")
    }

    @Test("What is smuggled in before TLS is not taken for what the server says in it")
    func smuggled() async throws {
        let (reason, said) = try await reason(databaseCheck(tls: .require)) { peer in
            guard peer.read(8) != nil else { return }
            peer.write([UInt8(ascii: "S")] + DatabasePuppet.message("R", [0, 0, 0, 0]) + DatabasePuppet.ready)
            _ = peer.read(4096)
        }
        #expect(reason.hasPrefix("TLS failed"))
        #expect(!said.contains("pg_is_in_recovery") && !said.contains("database"))
    }

    @Test("No server makes us compute with finite-field groups, its own or large named ones: none is offered")
    func offeredGroups() async throws {
        let hello = Mutex<[UInt8]>([])
        _ = try await reason(databaseCheck(tls: .require)) { peer in
            guard peer.read(8) != nil else { return }
            peer.write([UInt8(ascii: "S")])
            guard let head = peer.read(5), let body = peer.read(Int(head[3]) << 8 | Int(head[4])) else { return }
            hello.withLock { $0 = body }
        }
        var rest = hello.withLock { $0 }[...]
        func number(_ octets: ArraySlice<UInt8>) -> Int { octets.reduce(0) { $0 << 8 | Int($1) } }
        func numbers(_ octets: ArraySlice<UInt8>) -> [Int] {
            stride(from: octets.startIndex, to: octets.endIndex - 1, by: 2).map { number(octets[$0...($0 + 1)]) }
        }
        /// What stands behind a length of `width` octets (RFC 8446 section 4.1.2).
        func vector(_ width: Int) -> ArraySlice<UInt8> {
            let count = number(rest.prefix(width))
            rest = rest.dropFirst(width)
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        // The message's kind and length, version, random.
        rest = rest.dropFirst(4 + 2 + 32)
        _ = vector(1)
        let ciphers = numbers(vector(2))
        _ = vector(1)
        rest = vector(2)
        var groups: [Int] = []
        while rest.count > 4 {
            let kind = number(rest.prefix(2))
            rest = rest.dropFirst(2)
            let content = vector(2)
            if kind == 10 { groups = numbers(content.dropFirst(2)) }
        }
        // TLS_DHE_RSA_WITH_... (IANA): AES-CBC, AES-GCM, AES-CCM, ChaCha20.
        let finite: Set = [0x33, 0x39, 0x67, 0x6b, 0x9e, 0x9f, 0xc09e, 0xc09f, 0xccaa]
        #expect(ciphers.contains(0x1301), "TLS 1.3")
        #expect(finite.intersection(ciphers) == [])
        #expect(groups.contains(0x1d), "X25519")
        // ffdhe2048 and larger (RFC 7919).
        #expect(!groups.contains { $0 >> 8 == 1 })
    }

    @Test("Other answers to the request for TLS", arguments: ["E", "X", "\u{0}"])
    func answersToTLS(text: String) async throws {
        let (reason, _) = try await reason(databaseCheck()) { peer in
            guard peer.read(8) != nil else { return }
            peer.write(Array(text.utf8))
            _ = peer.read(64)
        }
        #expect(reason.hasSuffix(text == "E" ? "the request for TLS" : "not PostgreSQL's protocol"))
    }
}
