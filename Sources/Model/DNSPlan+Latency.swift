extension DNSPlan {
    /// Every `latency` step of any name, those of nested chains too.
    package var latencySteps: [SteeringStep.LatencyStep] {
        zones.flatMap(\.names).flatMap { name in Self.latencySteps(name.steps, name.candidates) }
    }

    private static func latencySteps(
        _ steps: [SteeringStep], _ candidates: [DynamicName.Candidate]
    ) -> [SteeringStep.LatencyStep] {
        let own = steps.compactMap { step in
            if case .latency(let latency) = step { latency } else { SteeringStep.LatencyStep?.none }
        }
        return own + candidates.compactMap(\.chain).flatMap { latencySteps($0.steps, $0.candidates) }
    }

    /// Whether any name is steered by the round trips that L7 nodes measure.
    package var measuresLatency: Bool { latencySteps.contains(where: \.isMeasured) }
}
