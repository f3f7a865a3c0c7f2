import ControlPlane
import Foundation
import Glibc
import Model

/// The world on one screen, redrawn in place on a terminal; events as plain lines elsewhere.
package struct LiveView {
    private let world: World
    private let isTerminal: Bool
    private var events: [String] = []
    private var drawn = 0
    private let started = ContinuousClock.now

    package init(_ world: World) {
        self.world = world
        isTerminal = isatty(STDOUT_FILENO) == 1
    }

    package mutating func show(_ look: Watcher.Look, traffic: [String: Traffic.Count]) {
        let stamp = Self.stamp(ContinuousClock.now - started)
        guard isTerminal else {
            for event in look.events { Terminal.say("\(stamp) \(event)") }
            return
        }
        events += look.events.map { "\(stamp) \($0)" }
        events = Array(events.suffix(12))
        let lines = screen(look, traffic)
        // Up to the first line of the last picture, then each line anew, its rest cleared.
        var text = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
        for line in lines { text += line + "\u{1b}[K\n" }
        text += "\u{1b}[J"
        drawn = lines.count
        Terminal.write(text)
    }

    // MARK: Parts of the picture

    private func screen(_ look: Watcher.Look, _ traffic: [String: Traffic.Count]) -> [String] {
        let width = Self.columns
        var lines = [bold("Meridian") + "  " + Self.stamp(ContinuousClock.now - started) + "   Ctrl-C ends it", ""]
        lines.append(bold(row(["region", "shop", "api", "orders-db", "users of the region are served by"])))
        for region in world.snapshot.regions {
            let cells = ["shop", "api", "orders-db"].map { cell(verdict($0, region.name, look)) }
            lines.append(row([region.name] + cells + [served(traffic[region.name])]))
        }
        lines += ["", bold(row(["node", "state", "peers", "rate", "pools"]))]
        for node in world.snapshot.nodes {
            guard let status = look.statuses[node.name].flatMap({ $0 }) else {
                lines.append(row([node.name, red("no answer"), "", "", ""]))
                continue
            }
            let peers = status["peers"].array
            let pools = status["pools"].array.map { pool in
                let up = pool["up"].int ?? 0
                let text = "\(pool["pool"].string ?? "") \(up)/\(pool["total"].int ?? 0)"
                return up == pool["total"].int ? text : red(text)
            }
            lines.append(
                row([
                    node.name, status["state"].string ?? "",
                    "\(peers.count { $0["voice"].string == "fresh" })/\(peers.count)",
                    "\(Int(clamping: status["traffic"]["ratePerSecond"].double ?? 0))/s", pools.joined(separator: ", "),
                ]))
        }
        lines += ["", bold("events")] + (events.isEmpty ? ["  none yet"] : events.map { "  " + $0 })
        lines += [
            "",
            "Try:  kill a node (pgrep -af meridian-l7), then  dig @127.0.0.1 -p 5300 www.shop.test +subnet=10.2.0.0/24",
        ]
        return lines.map { Self.clip($0, to: width) }
    }

    /// As the first DNS node sees it, because that decides where users go.
    private func verdict(_ service: String, _ region: String, _ look: Watcher.Look) -> StatusValue {
        guard let node = world.snapshot.nodes.first(where: { $0.tier == .dns }),
            let status = look.statuses[node.name].flatMap({ $0 })
        else { return .null }
        return World.verdict(service, in: region, of: status)
    }

    private func cell(_ verdict: StatusValue) -> String {
        guard let healthy = verdict["healthy"].bool else { return "-" }
        guard healthy else { return red("down") }
        let share = verdict["share"].double ?? 1
        return share < 1 ? yellow("\(Int(clamping: share * 100))%") : green("healthy")
    }

    private func served(_ count: Traffic.Count?) -> String {
        guard let count, count.requests > 0 else { return "-" }
        var parts = count.served.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value * 100 / count.requests)%" }
        if count.failures > 0 { parts.append(red("failed \(count.failures * 100 / count.requests)%")) }
        return parts.joined(separator: ", ")
    }

    private func row(_ cells: [String]) -> String {
        let widths = [14, 12, 10, 12, 0]
        return "  "
            + zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: max(0, width - Self.visible(cell)))
            }.joined()
    }

    // MARK: Terminal

    private static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 120 }
        return Int(size.ws_col) - 1
    }

    private static func stamp(_ time: Duration) -> String {
        let seconds = time.components.seconds
        let (minutes, rest) = (seconds / 60, seconds % 60)
        return "\(minutes):\(rest < 10 ? "0" : "")\(rest)"
    }

    /// Characters that take a column: colours take none.
    private static func visible(_ text: String) -> Int {
        var count = 0
        var escaped = false
        for character in text {
            if character == "\u{1b}" {
                escaped = true
            } else if escaped {
                escaped = character != "m"
            } else {
                count += 1
            }
        }
        return count
    }

    private static func clip(_ text: String, to width: Int) -> String {
        guard visible(text) > width else { return text }
        var count = 0
        var escaped = false
        var clipped = ""
        for character in text {
            if character == "\u{1b}" {
                escaped = true
            } else if escaped {
                escaped = character != "m"
            } else {
                count += 1
            }
            if count > width { break }
            clipped.append(character)
        }
        return clipped + "\u{1b}[0m"
    }

    private func bold(_ text: String) -> String { "\u{1b}[1m\(text)\u{1b}[0m" }
    private func red(_ text: String) -> String { "\u{1b}[31m\(text)\u{1b}[0m" }
    private func green(_ text: String) -> String { "\u{1b}[32m\(text)\u{1b}[0m" }
    private func yellow(_ text: String) -> String { "\u{1b}[33m\(text)\u{1b}[0m" }
}
