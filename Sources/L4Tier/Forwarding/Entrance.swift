import Balancing
import Engine
import Model

/// One listener on one worker. A reload gives it another route; connections that came through it keep theirs.
final class Entrance {
    var route: Route
    var cursor: PickCursor
    /// Connections that came in here and last.
    var active = 0
    /// The worker keeps it until it is closed.
    weak var listener: Listener?

    init(_ route: Route, cursor: PickCursor) {
        self.route = route
        self.cursor = cursor
    }
}
