//! The groups in which `understudy --help` lists the commands. clap has no headings for subcommands.
//!
//! Invariants:
//! - Every command belongs to exactly one group.

use std::fmt::Write as _;

use clap::Command;

/// Commands under one heading.
pub(super) struct CommandGroup {
    /// Heading in the help and in the reference.
    pub heading: &'static str,
    /// What the commands of the group have in common.
    pub summary: &'static str,
    /// Names of the commands.
    pub commands: &'static [&'static str],
}

const fn group(
    heading: &'static str,
    summary: &'static str,
    commands: &'static [&'static str],
) -> CommandGroup {
    CommandGroup { heading, summary, commands }
}

/// All groups, in the order of the help.
pub(super) const GROUPS: [CommandGroup; 7] = [
    group(
        "Study",
        "Prepare a study before it runs.",
        &["init", "follow-up", "check", "sort", "plan", "seal", "schema"],
    ),
    group("Run", "Execute a study.", &["demo", "run", "serve", "replay"]),
    group("Read", "Read results.", &["report", "compare", "log", "case", "export"]),
    group(
        "Audit",
        "Decide, verify and keep records.",
        &["decide", "verify", "attest", "review", "note", "disclose", "retain", "key", "register"],
    ),
    group("Operate", "Operate a served run.", &["status", "top", "swap", "end", "token"]),
    group(
        "Plugin",
        "Write, build, check and inspect plugins, and inspect trained models.",
        &["plugin", "pack", "model"],
    ),
    group("Install", "Write files of an installation.", &["completions", "manual"]),
];

/// The help template of the program, with the commands under their headings.
pub(super) fn help_template(program: &Command) -> String {
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for CommandGroup { heading, commands, .. } in GROUPS {
        write!(text, "\n{heading}:\n").expect("writing to a String cannot fail");
        for name in commands {
            let command = program.find_subcommand(name).expect("a group lists only existing commands");
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            writeln!(text, "  {name:<11} {about}").expect("writing to a String cannot fail");
        }
    }
    text + "\nOptions:\n{options}{after-help}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_exactly_one_group() {
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|group| group.commands).copied().collect();
        listed.sort_unstable();
        let program = crate::command_line();
        let mut commands: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
        commands.sort_unstable();
        assert_eq!(listed, commands);
    }

    #[test]
    fn the_help_lists_commands_under_headings_within_80_columns() {
        let help = crate::command_line().term_width(80).render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for CommandGroup { heading, commands, .. } in GROUPS {
            let block = help.split("\n\n").find(|block| block.starts_with(&format!("{heading}:\n")));
            let block = block.unwrap_or_else(|| panic!("no heading {heading} in\n{help}"));
            assert_eq!(block.lines().count(), commands.len() + 1, "{block}");
        }
    }
}
