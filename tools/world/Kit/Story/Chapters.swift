import ControlPlane
import Glibc
import Model

extension Story {
    /// (1) Clients of each region get that region, and through it its backends and its database.
    func everyoneIsServedAtHome() async throws {
        for place in try places {
            try await observe(1, "clients in \(place.region) are sent to \(place.address)", within: recovery) {
                try await home(of: place) == [place.address.description]
            }
        }
        for place in try places {
            let address = SocketAddress(place.address, port: http)
            let pages = [
                try await users.curl("http://www.shop.test/", at: address),
                try await users.curl("http://www.shop.test/api/orders", at: address),
                try await users.curl("http://api.shop.test/orders", at: address),
            ]
            let wanted = ["storefront", "api", "api"].map { "\(place.region) \($0) " }
            try expect(
                1, "curl reaches \(place.region)'s backends by host and by path",
                zip(pages, wanted).allSatisfy { $0.status == 200 && $0.body.hasPrefix($1) })
        }
        for place in try places {
            let write = SocketAddress(place.address, port: tcp(.primary))
            let read = SocketAddress(place.address, port: tcp(.replica))
            try await observe(1, "psql reaches a writable primary in \(place.region)", within: recovery) {
                try await users.psql("CREATE TABLE orders AS SELECT pg_is_in_recovery() AS recovering", at: write)
                    != nil
            }
            try await observe(1, "psql reads it from the replica", within: .seconds(2)) {
                try await users.psql("SELECT pg_is_in_recovery(), recovering FROM orders", at: read) == "t|f"
            }
        }
    }

    /// (2) A backend is killed under traffic.
    func oneBackendDies() async throws {
        let place = try place("us-east")
        let backend = try endpoint("storefront", in: place.region)
        let node = node(.l7, in: place.region)
        async let statuses = users.series(
            "http://www.shop.test/", at: SocketAddress(place.address, port: http), count: 120, rate: 60)
        try await Task.sleep(for: .milliseconds(300))
        await world.send(SIGKILL, to: backend.description)
        timeline.note(2, "killed the backend \(backend) under 60 requests a second")
        try await observe(2, "\(node) takes it out", within: detection) {
            await pool("storefront", at: node)["up"].int == 1
        }
        let all = try await statuses
        let failed = all.count { $0 != 200 }
        // The series is one request at a time: at most one was on the backend.
        try expect(
            2, "\(all.count) requests, \(failed) failed (at most the one that was on it)",
            all.count == 120 && failed <= 1)
        try await world.restart(backend.description)
        try await observe(2, "restarted, it is back in", within: recovery) {
            await pool("storefront", at: node)["up"].int == 2
        }
    }

    /// (3) A region's L7 dies by SIGKILL, another's leaves by SIGTERM; (4) both return.
    func oneRegionDiesAndReturns() async throws {
        let killed = try place("eu-west")
        let stopped = try place("ap-south")
        let killedNode = node(.l7, in: killed.region)
        let stoppedNode = node(.l7, in: stopped.region)

        await world.send(SIGKILL, to: killedNode)
        try await observe(3, "\(killedNode) killed: DNS stops answering with it", within: detection) {
            try await moved(from: killed)
        }
        try await world.restart(killedNode)
        let restarted = ContinuousClock.now

        await world.send(SIGTERM, to: stoppedNode)
        try await observe(3, "\(stoppedNode) said goodbye: DNS stops answering with it", within: goodbye) {
            try await moved(from: stopped)
        }
        let exit = await world.child(stoppedNode)?.wait(.seconds(8))
        try expect(3, "\(stoppedNode) ended by itself with status 0", exit == .status(0))
        try await world.restart(stoppedNode)
        let restartedToo = ContinuousClock.now

        try await observe(4, "\(killed.region) gets traffic again", within: recovery, since: restarted) {
            try await isServedSomewhere(at: killed)
        }
        let share = await world.verdict("shop", in: killed.region, at: resolver)["share"].double ?? 1
        try expect(4, "at first a part of it: its share is \(Int(clamping: share * 100))%", share < 1)
        try await observe(4, "\(stopped.region) gets traffic again", within: recovery, since: restartedToo) {
            try await isServedSomewhere(at: stopped)
        }
        for place in [killed, stopped] {
            try await observe(4, "\(place.region) has its full share back", within: ramp + .seconds(2)) {
                let share = await world.verdict("shop", in: place.region, at: resolver)["share"].double
                guard share == 1 else { return false }
                return try await home(of: place) == [place.address.description]
            }
        }
    }

    /// (5) The database of a region loses its primary.
    func oneDatabaseLosesItsPrimary() async throws {
        let place = try place("us-east")
        let primary = try endpoint("orders", in: place.region)
        let watcher = node(.l4, in: place.region)
        let balancer = node(.l7, in: place.region)
        // Immediate shutdown: for everybody who is connected it looks like a crash.
        await world.send(SIGQUIT, to: primary.description)
        let start = ContinuousClock.now
        try await observe(5, "\(watcher) knows that \(primary) is gone", within: detection, since: start) {
            await pool("orders", at: watcher)["primaries"].int == 0
        }
        try await observe(5, "\(balancer) is unhealthy for shop because of it", within: detection, since: start) {
            let verdict = await world.verdict("shop", in: place.region, at: balancer)
            return verdict["healthy"].bool == false && names("orders-db", in: verdict)
        }
        try await observe(5, "DNS moves \(place.region)'s users", within: detection, since: start) {
            try await moved(from: place)
        }
        let status = try await ctl("status", "--topology", world.topology)
        try expect(
            5, "meridianctl status shows the chain from shop to \(primary)",
            status.contains("shop in \(place.region) is down") && status.contains("orders-db")
                && status.contains(primary.description))
        let explanation = try await ctl(
            "explain", "dns", "www.shop.test", "A", "--client", place.client, "--node", adminURL(of: resolver))
        try expect(
            5, "meridianctl explain dns says why",
            explanation.contains("orders-db") && explanation.contains(place.region))
        try await world.restart(primary.description)
        try await observe(5, "the primary is back: so are the users", within: recovery + recovery + ramp) {
            try await home(of: place) == [place.address.description]
        }
    }

    /// (6) Every region is down.
    func everyRegionDies() async throws {
        for place in try places { await world.send(SIGKILL, to: node(.l7, in: place.region)) }
        // Who looks died with what they look at, and one DNS node alone fails nobody: what is left is their silence. Answers hold
        // every region all the while.
        let plan = world.snapshot.federation
        let silence = plan.staleAfter + plan.interval + detection
        try await observe(6, "all L7 nodes killed: DNS knows", within: silence) {
            await world.status(of: resolver)?["failOpen"].array.contains("shop") == true
        }
        let everywhere = try await isEverywhere()
        try expect(6, "and answers everybody as if all regions were healthy", everywhere)
        let metrics = String(decoding: await world.get("/metrics", from: resolver) ?? [], as: UTF8.self)
        let failOpen = metrics.split(separator: "\n").contains {
            $0.contains("fail_open") && !$0.hasPrefix("#") && !$0.hasSuffix(" 0")
        }
        try expect(6, "status and metrics say fail-open", failOpen)
    }

    // MARK: Questions

    private var ramp: Duration { world.snapshot.dns.zones.first?.names.first?.ramp ?? .zero }

    /// True when none of the region's clients that we try is sent home, and all are sent somewhere.
    private func moved(from place: Place) async throws -> Bool {
        let answer = try await home(of: place)
        return !answer.isEmpty && !answer.contains(place.address.description)
    }

    /// True when at least one of several client networks of the region is sent home.
    private func isServedSomewhere(at place: Place) async throws -> Bool {
        for index in 0..<8 where try await home(of: place, subnet: index) == [place.address.description] { return true }
        return false
    }

    private func isEverywhere() async throws -> Bool {
        for place in try places where try await home(of: place) != [place.address.description] { return false }
        return true
    }

    private func names(_ service: String, in verdict: StatusValue) -> Bool {
        verdict["reasons"].array.contains { $0["text"].string?.contains(service) == true }
    }

    private func adminURL(of node: String) -> String {
        world.snapshot.nodes.first { $0.name == node }?.admin.map { "http://\($0)" } ?? ""
    }

    private func ctl(_ words: String...) async throws -> String {
        // A node that does not answer gives status 1, and the table all the same.
        try await Command.run([Programs.ours("meridianctl")] + words, folder: world.folder).text
    }
}
