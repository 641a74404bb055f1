//! The command-line reference as Markdown, generated from the definitions of the commands.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::command_groups::{CommandGroup, GROUPS};

/// The reference of all commands and options as Markdown.
pub fn command_reference() -> String {
    let mut program = super::command_line();
    program.build();
    let mut text = String::from("# Command line\n");
    paragraph(&mut text, &long_about(&program));
    paragraph(&mut text, super::EXIT_CODES);
    for CommandGroup { heading, summary, commands } in GROUPS {
        paragraph(&mut text, &format!("## {heading}"));
        paragraph(&mut text, summary);
        for name in commands {
            let command = program.find_subcommand(name).expect("a group lists only existing commands");
            push_command(&mut text, command);
        }
    }
    text
}

fn paragraph(text: &mut String, content: &str) {
    write!(text, "\n{content}\n").expect("writing to a String cannot fail");
}

fn long_about(command: &Command) -> String {
    command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default()
}

/// Appends a command, and the commands below it.
fn push_command(text: &mut String, command: &Command) {
    paragraph(text, &format!("### {}", command.get_bin_name().unwrap_or(command.get_name())));
    paragraph(text, &long_about(command));
    let usage = command.clone().render_usage().to_string();
    paragraph(text, &format!("```text\n{}\n```", usage.trim_start_matches("Usage: ")));
    let arguments: Vec<&Arg> =
        command.get_arguments().filter(|argument| argument.get_id() != "help").collect();
    let mut rows = String::from("| argument | description |\n| --- | --- |");
    for argument in &arguments {
        write!(rows, "\n| {} | {} |", signature(argument), description(argument))
            .expect("writing to a String cannot fail");
    }
    if !arguments.is_empty() {
        paragraph(text, &rows);
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        push_command(text, below);
    }
}

/// The argument as it is written, such as `--rows <ROWS>`.
fn signature(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_value_names()
        .filter(|_| argument.get_action().takes_values())
        .into_iter()
        .flatten()
        .map(|name| format!("<{name}>"))
        .collect();
    let flag = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} "),
        (None, Some(long)) => format!("--{long} "),
        _ => String::new(),
    };
    format!("`{}`", format!("{flag}{}", values.join(" ")).trim_end())
}

/// Help text, possible values and default.
fn description(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut parts = vec![help.replace('\n', " ").replace('|', "\\|")];
    if argument.get_action().takes_values() {
        let values = argument.get_possible_values();
        for value in values.iter().filter(|value| !value.is_hide_set()) {
            let help = value.get_help().map(|help| format!(": {help}")).unwrap_or_default();
            parts.push(format!("`{}`{help}", value.get_name()));
        }
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        if !defaults.is_empty() {
            parts.push(format!("Default: `{}`.", defaults.join(" ")));
        }
    }
    if argument.is_required_set() && matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) {
        parts.push("Required.".to_owned());
    }
    parts.join("<br>")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_contains_the_reference() {
        crate::study_reference::check_page("command-line.md", &super::command_reference());
    }
}
