/// What no single value can be blamed for: the checks that hold sections against each other. Records with values in
/// error take part with what is left of them, so that one mistake does not hide another.
enum CrossChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        diagnostics += FederationChecks.run(on: root)
        diagnostics += NodeChecks.run(on: root)
        diagnostics += ServiceChecks.run(on: root)
        diagnostics += SafetyChecks.run(on: root)
        diagnostics += PoolChecks.run(on: root)
        diagnostics += NameChecks.run(on: root)
        diagnostics += DistanceChecks.run(on: root)
        diagnostics += ListenerChecks.run(on: root)
        return diagnostics
    }
}
