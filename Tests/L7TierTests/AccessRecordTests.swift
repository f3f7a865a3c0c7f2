import ControlPlane
import Foundation
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("Access records")
    struct AccessRecordTests {
        private let path = NSTemporaryDirectory() + "meridian-l7-\(UInt64.random(in: 0 ... .max)).log"

        private func proxy(
            _ backends: [SocketAddress], _ format: LogSettings.Format = .json,
            _ change: (inout Proxy.Settings) -> Void = { _ in }
        ) throws -> Proxy {
            var settings = Proxy.Settings()
            settings.accessLog = path
            settings.logFormat = format
            change(&settings)
            return try Proxy(pools: [backends], settings: settings)
        }

        /// Ends the proxy; what it logged, line by line.
        private func lines(_ proxy: Proxy, deadline: Duration = .seconds(2)) async throws -> [String] {
            await proxy.stop(deadline: deadline)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.isEmpty || text.hasSuffix("\n"))
            return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }

        private func records(_ proxy: Proxy, deadline: Duration = .seconds(2)) async throws -> [StatusValue] {
            try await lines(proxy, deadline: deadline).map { try #require(StatusValue(json: Array($0.utf8)), "\($0)") }
        }

        @Test("A record tells of the client, the request, the way it took and what came of it")
        func whole() async throws {
            let backend = try ScriptedBackend { _, _ in [.pause(milliseconds: 60), .send(ok("hello"))] }
            let proxy = try proxy([backend.address])
            let client = try proxy.client()
            for _ in 0..<2 {
                try client.send(
                    "GET /a?b HTTP/1.1\r\nHost: Shop.test:80\r\nUser-Agent: curl/8 (\"x\")\r\nReferer: http://from.test/\r\n\r\n"
                )
                #expect(try client.readResponse().body == "hello")
            }
            let records = try await records(proxy)
            #expect(records.count == 2)
            let record = try #require(records.first)
            #expect(
                Set(record.object.keys) == [
                    "time", "tier", "node", "listener", "client", "request_id", "method", "host", "target", "protocol",
                    "status", "route", "pool", "endpoint", "attempts", "bytes_in", "bytes_out", "duration_ms",
                    "upstream_connect_ms", "upstream_header_ms", "upstream_duration_ms", "user_agent", "referer",
                ])
            #expect(record["time"].string.map { $0.count == 24 && $0.hasPrefix("20") && $0.hasSuffix("Z") } == true)
            #expect(record["tier"] == "l7" && record["node"] == "l7-1" && record["listener"] == "public")
            #expect(record["client"].string?.hasPrefix("127.0.0.1:") == true)
            #expect(record["method"] == "GET" && record["host"] == "Shop.test" && record["target"] == "/a?b")
            #expect(record["protocol"] == "HTTP/1.1" && record["status"].int == 200)
            #expect(record["route"] == "r0" && record["pool"] == "pool0" && record["attempts"].int == 1)
            #expect(record["endpoint"].string == backend.address.description)
            #expect(record["user_agent"] == "curl/8 (\"x\")" && record["referer"] == "http://from.test/")
            #expect(record["reason"] == .null)
            let times = ["upstream_connect_ms", "upstream_header_ms", "upstream_duration_ms", "duration_ms"]
                .map { record[$0].double ?? -1 }
            #expect(times == times.sorted() && times[0] >= 0)
            #expect(times[1] >= 50 && times[3] < 60_000)
            // The second went over a connection that was there.
            #expect(records.last?["upstream_connect_ms"] == .null)
            #expect(records.last?["upstream_header_ms"].double ?? 0 >= 50)
        }

        @Test("Behind a trusted proxy the client is the one that it names, and the proxy is told beside it")
        func proxied() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try proxy([backend.address]) {
                $0.trustedProxies = [IPPrefix(IPAddress(v4: 0x7f00_0001), length: 32)]
            }
            let client = try proxy.client()
            for fields in ["X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n", "", "X-Forwarded-For: 2001:DB8::7\r\n"] {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
                _ = try client.readResponse()
            }
            let records = try await records(proxy)
            #expect(records.map { $0["client"].string ?? "" }.first == "198.51.100.7")
            #expect(records.last?["client"] == "2001:db8::7")
            for index in [0, 2] { #expect(records[index]["proxy"].string?.hasPrefix("127.0.0.1:") == true) }
            #expect(records[1]["client"].string?.hasPrefix("127.0.0.1:") == true && records[1]["proxy"] == .null)
        }

        @Test("The identifier of a record is what the backend was given, and one of its own for each request")
        func identifiers() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try proxy([backend.address])
            let client = try proxy.client()
            for _ in 0..<3 {
                // A stranger's is not believed.
                try client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: mine\r\nx-request-Id: too\r\n\r\n")
                _ = try client.readResponse()
            }
            let records = try await records(proxy)
            let given = backend.heads.map { head in
                head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("x-request-id:") }.map(String.init)
            }
            #expect(given == records.map { ["X-Request-ID: \($0["request_id"].string ?? "")"] })
            let texts = records.compactMap { $0["request_id"].string }
            #expect(Set(texts).count == 3)
            #expect(texts.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
        }

        @Test("A trusted proxy's identifier is taken over, if it is one")
        func givenIdentifier() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try proxy([backend.address]) {
                $0.trustedProxies = [IPPrefix(IPAddress(v4: 0x7f00_0001), length: 32)]
            }
            let client = try proxy.client()
            for fields in [
                "x-request-id: edge/7f-A:1\r\n", "", "X-Request-ID: a b\r\n", "X-Request-ID: a\r\nX-Request-ID: b\r\n",
            ] {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
                _ = try client.readResponse()
            }
            let texts = try await records(proxy).map { $0["request_id"].string ?? "" }
            let given = backend.heads.map { head in
                head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("x-request-id:") }.map(String.init)
            }
            #expect(given == texts.map { ["X-Request-ID: \($0)"] })
            #expect(texts.first == "edge/7f-A:1" && texts.count == 4)
            #expect(texts.dropFirst().allSatisfy { $0.count == 32 })
        }

        @Test(
            "Whatever a request says, its record is one line, and valid", arguments: [LogSettings.Format.json, .text])
        func hostile(format: LogSettings.Format) async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try proxy([backend.address], format)
            let long = String(repeating: "\\\"", count: 2_500)
            for (target, fields) in [
                ("/a", "User-Agent: \\u0041\\\r\n"), ("/\\u0041\\", "User-Agent: \\\r\n"),
                ("/\"},{\"x\":\"", "Referer: \", \"status\": 200, \"\t\u{80}\r\n"),
                ("/" + long, "User-Agent: \(long)\r\nReferer: \(long)\r\n"), ("/?a b=\"", "User-Agent: é\u{9b}2J\r\n"),
            ] {
                let client = try proxy.client()
                try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
                _ = try client.readResponse()
            }
            let lines = try await lines(proxy)
            #expect(lines.count == 5)
            for line in lines {
                #expect(line.utf8.count < 8_192)
                #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
                guard format == .json else {
                    #expect(
                        line.hasPrefix("time=20")
                            && line.contains(" tier=l7 node=l7-1 listener=public client=127.0.0.1:"))
                    continue
                }
                let record = try #require(StatusValue(json: Array(line.utf8)), "\(line)")
                #expect(record["node"] == "l7-1" && record["bytes_out"].int != nil)
            }
            if format == .json {
                let record = try #require(StatusValue(json: Array(lines[0].utf8)))
                #expect(record["target"] == "/a" && record["user_agent"] == "\\u0041\\")
            }
        }

        @Test(
            "A request that failed names the endpoint, the reason and the attempts; one that was refused, what is known"
        )
        func failures() async throws {
            let dead = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)
            let proxy = try proxy([dead]) { $0.routes = [(.exact("a.test"), .prefix("/"), 0)] }
            for text in [
                "GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n", "GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n",
                "nonsense\r\n\r\n",
            ] {
                let client = try proxy.client()
                try client.send(text)
                _ = try client.readHead()
            }
            let records = try await records(proxy)
            #expect(records.map { $0["status"].int } == [502, 404, 400])
            #expect(records[0]["endpoint"].string == dead.description && records[0]["reason"] == "connect-failed")
            #expect(records[0]["attempts"].int == 1 && records[0]["protocol"] == "HTTP/1.0")
            #expect(records[0]["upstream_header_ms"] == .null)
            #expect(records[1]["target"] == "/x" && records[1]["reason"] == "no-route")
            #expect(records[1]["route"] == .null && records[1]["endpoint"] == .null)
            #expect(records[2]["target"] == .null && records[2]["client"].string != nil)
        }

        @Test("A request that was cut short has a record without a status")
        func cutShort() async throws {
            let backend = try ScriptedBackend { _, _ in [.pause(milliseconds: 500), .send(ok())] }
            let proxy = try proxy([backend.address])
            let client = try proxy.client()
            try client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            for _ in 0..<400 where backend.heads.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            let records = try await records(proxy, deadline: .zero)
            #expect(records.count == 1)
            #expect(records.first?["target"] == "/slow" && records.first?["status"] == .null)
            #expect(records.first?["endpoint"].string == backend.address.description)
            #expect(records.first?["reason"].string != nil)
        }
    }
}
