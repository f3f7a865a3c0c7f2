import ControlPlane
import Latency
package import Model
import Synchronization

/// What peers measured of clients' round trips. Any thread; reports are taken at once and tables are made now and then.
package final class MeasuredLatency: Sendable {
    package struct Status: Sendable, Hashable {
        package var prefixes = 0
        package var windows: UInt64 = 0
        package var samples: UInt64 = 0
        package var evicted: UInt64 = 0
        /// Since the latest window came; nil when none did.
        package var age: Duration?
        /// Tables that were made of it.
        package var tables: UInt64 = 0
    }

    private struct State {
        var map = LatencyMap(regions: [])
        var picture: LatencyPicture?
        /// Windows in the picture.
        var drawn: UInt64 = 0
        var drawnAt: Timestamp?
        var heardAt: Timestamp?
        var tables: UInt64 = 0
    }

    /// Between two tables: an answer is cached for longer than this.
    private static let cadence = Duration.seconds(10)
    /// Figures grow old without news too: what they may be at best falls.
    private static let ageing = Duration.seconds(600)

    private let state = Mutex(State())

    package init() {}

    /// What was drawn last; nil before anything was measured.
    var picture: LatencyPicture? { state.withLock { $0.picture } }

    package func status(now: Timestamp) -> Status {
        state.withLock { state in
            Status(
                prefixes: state.map.prefixCount, windows: state.map.windows, samples: state.map.samples,
                evicted: state.map.evicted, age: state.heardAt.map { now - $0 }, tables: state.tables)
        }
    }

    func adopt(regions: [String]) { state.withLock { $0.map.adopt(regions: regions) } }

    package func take(_ windows: [HeardRoundTrips], now: Timestamp) {
        state.withLock { state in
            for window in windows where state.map.take(window, at: Self.seconds(now)) { state.heardAt = now }
        }
    }

    /// Draws anew when there is news and time has passed.
    ///
    /// - Returns: whether tables made before are outdated.
    func draw(now: Timestamp) -> Bool {
        let due: LatencyMap? = state.withLock { state in
            let since = state.drawnAt.map { now - $0 } ?? .seconds(3600)
            let hasNews = state.drawn != state.map.windows
            guard hasNews ? since >= Self.cadence : since >= Self.ageing && state.map.windows > 0 else { return nil }
            state.drawn = state.map.windows
            state.drawnAt = now
            state.map.expire(at: Self.seconds(now))
            return state.map
        }
        // A copy: reports are taken meanwhile.
        guard let picture = due?.picture(at: Self.seconds(now)) else { return false }
        return state.withLock { state in
            guard state.picture?.digest != picture.digest else { return false }
            state.picture = picture
            state.tables += 1
            return true
        }
    }

    /// Seconds since 1970, which last until 2106.
    static func seconds(_ time: Timestamp) -> UInt32 { UInt32(clamping: time.milliseconds / 1000) }
}
